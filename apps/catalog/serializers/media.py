"""The documents of pictures: how rows become them, and what OpenAPI says about them."""

from typing import Any

from rest_framework import serializers

from apps.catalog.models import picture_url
from apps.catalog.models.media import RENDITIONS, rendition_of


class Renditions(serializers.Serializer[Any]):
    """The picture in WebP, no side longer than 200, 600 and 1200 pixels.

    Until a worker has drawn them, the addresses are those of the picture itself.
    """

    thumbnail = serializers.CharField()
    medium = serializers.CharField()
    large = serializers.CharField()


class PictureDocument(serializers.Serializer[Any]):
    """A picture, and where its files are."""

    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    renditions = Renditions()


class ImageDocument(PictureDocument):
    """A picture of a product."""

    alt = serializers.CharField()


class PhotoDocument(PictureDocument):
    """A photo of a review."""

    id = serializers.UUIDField()


class MediaDocument(ImageDocument):
    """A picture of a product, and where it stands among the others."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()


class MediaList(serializers.Serializer[Any]):
    """All pictures of a product, in their order."""

    results = MediaDocument(many=True)


def image_document(image: dict[str, Any]) -> dict[str, Any]:
    """Return the document of the columns of a product's picture, as the selectors read them."""
    return {"alt": image["alt"], **picture_document(image)}


def photo_document(photo: dict[str, Any]) -> dict[str, Any]:
    """Return the document of the columns of a review's photo."""
    return {"id": photo["id"], **picture_document(photo)}


def picture_document(image: dict[str, Any]) -> dict[str, Any]:
    """Return where a picture's files are."""
    url = picture_url(image["file"])
    return {
        "url": url,
        "width": image["width"],
        "height": image["height"],
        "renditions": {
            name: rendition_of(url, name) if image["has_renditions"] else url for name in RENDITIONS
        },
    }
