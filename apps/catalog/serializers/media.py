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


class ImageDocument(serializers.Serializer[Any]):
    """A picture of a product."""

    url = serializers.CharField()
    alt = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    renditions = Renditions()


class MediaDocument(ImageDocument):
    """A picture of a product, and where it stands among the others."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()


class MediaList(serializers.Serializer[Any]):
    """All pictures of a product, in their order."""

    results = MediaDocument(many=True)


def image_document(image: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a picture's columns, as the selectors read them."""
    url = picture_url(image["file"])
    return {
        "url": url,
        "alt": image["alt"],
        "width": image["width"],
        "height": image["height"],
        "renditions": {
            name: rendition_of(url, name) if image["has_renditions"] else url for name in RENDITIONS
        },
    }
