"""The documents of reviews: how rows become them, and what OpenAPI says about them."""

from enum import StrEnum
from typing import Any

from rest_framework import serializers

from apps.catalog.models.contributions import Contribution
from apps.catalog.serializers.media import PhotoDocument, photo_document
from apps.kernel.pagination import Page


class Reader(StrEnum):
    """Who reads: the author and the staff see more than everybody."""

    ANYBODY = "anybody"
    AUTHOR = "author"
    STAFF = "staff"


class ProductNamed(serializers.Serializer[Any]):
    """Which product something is about."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class Reply(serializers.Serializer[Any]):
    """What the store answers."""

    body = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReviewDocument(serializers.Serializer[Any]):
    """What a customer says of a product. Texts are plain: show them, never as HTML."""

    id = serializers.UUIDField()
    product = ProductNamed()
    author = serializers.CharField(allow_null=True, help_text='"Anna K.", or null: no name.')
    rating = serializers.IntegerField()
    title = serializers.CharField()
    body = serializers.CharField()
    verified = serializers.BooleanField(help_text="The author has bought it here.")
    helpful_count = serializers.IntegerField()
    photos = PhotoDocument(many=True)
    replies = Reply(many=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    status = serializers.ChoiceField(
        choices=Contribution.Status.choices, required=False, help_text="For the author and staff."
    )
    reason = serializers.CharField(required=False, help_text="For the author and staff.")
    version = serializers.IntegerField(required=False, help_text="For the author and staff.")
    report_count = serializers.IntegerField(required=False, help_text="For staff.")


class ReviewPage(Page):
    """A page of reviews."""

    results = ReviewDocument(many=True)


class RatingDocument(serializers.Serializer[Any]):
    """What the shown reviews of a product say together."""

    average = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()
    histogram = serializers.DictField(
        child=serializers.IntegerField(), help_text='Reviews by stars, "1" to "5".'
    )


def review_document(row: dict[str, Any], *, reader: Reader = Reader.ANYBODY) -> dict[str, Any]:
    """Return the document of a row of `selectors.reviews.review_rows`."""
    document = {
        "id": row["id"],
        "product": product_named(row),
        "author": row["author_name"] or None,
        "rating": row["rating"],
        "title": row["title"],
        "body": row["body"],
        "verified": row["is_verified"],
        "helpful_count": row["helpful_count"],
        "photos": [photo_document(photo) for photo in row["pictures"]],
        "replies": row["answers"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
    if reader is not Reader.ANYBODY:
        document |= {name: row[name] for name in ("status", "reason", "version")}
    if reader is Reader.STAFF:
        document["report_count"] = row["report_count"]
    return document


def product_named(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document `ProductNamed` of a row that is about a product."""
    return {
        "id": row["product_id"],
        "slug": row["product__slug"],
        "name": row["product__name"],
    }
