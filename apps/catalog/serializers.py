"""The catalog's documents: how rows become them, and what OpenAPI says about them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import picture_url
from apps.catalog.selectors.products import band_of
from apps.kernel.money import Money, NotAnAmount, format_minor
from apps.kernel.pagination import Page
from apps.kernel.serializers import MoneyField

AVAILABILITY = ["in_stock", "low_stock", "out_of_stock", "preorder"]
LARGEST_PRICE = 10**12


@extend_schema_field(OpenApiTypes.STR)
class CommaSeparated(serializers.Field[list[str], str, Any, Any]):
    """Several values of a filter: any of them counts."""

    default_error_messages = {
        "unknown": "One of these is not known.",
        "max_length": "This is too long.",
    }

    def __init__(self, *, choices: Collection[str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices

    def to_internal_value(self, data: str) -> list[str]:
        if len(data) > 1000:
            self.fail("max_length")
        values = data.split(",")
        if self.choices is not None and not set(values) <= set(self.choices):
            self.fail("unknown")
        return values


@extend_schema_field(OpenApiTypes.STR)
class PriceParameter(serializers.Field[int, str, Any, Any]):
    """A decimal amount in the store's currency."""

    default_error_messages = {"not_an_amount": "Give a decimal amount such as 19.99."}

    def to_internal_value(self, data: str) -> int:
        try:
            minor = Money.parse(data, settings.STORE_CURRENCY).minor
        except NotAnAmount:
            self.fail("not_an_amount")
        if not 0 <= minor <= LARGEST_PRICE:
            self.fail("not_an_amount")
        return minor


class CategoryBrief(serializers.Serializer[Any]):
    """Where a product stands."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class ImageDocument(serializers.Serializer[Any]):
    """A picture of a product."""

    url = serializers.CharField()
    alt = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class Rating(serializers.Serializer[Any]):
    """What customers think; the average is null until somebody has said it."""

    average = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class VariantDocument(serializers.Serializer[Any]):
    """What can be put into a cart."""

    id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    price = MoneyField()
    availability = serializers.ChoiceField(choices=AVAILABILITY)


class ProductBrief(serializers.Serializer[Any]):
    """A product as lists show it. What is only for staff is missing for everybody else."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField(allow_null=True)
    category = CategoryBrief(allow_null=True)
    price = MoneyField(allow_null=True, help_text="Of the cheapest variant.")
    compare_at_price = MoneyField(allow_null=True)
    images = ImageDocument(many=True)
    rating = Rating()
    availability = serializers.ChoiceField(choices=AVAILABILITY)
    description = serializers.CharField(required=False, help_text="With expand=description.")
    variants = VariantDocument(many=True, required=False, help_text="With expand=variants.")
    status = serializers.CharField(required=False, help_text="For staff.")
    package_size = serializers.CharField(required=False, help_text="For staff.")
    version = serializers.IntegerField(required=False, help_text="For staff.")
    created_at = serializers.DateTimeField(required=False, help_text="For staff.")
    updated_at = serializers.DateTimeField(required=False, help_text="For staff.")


class ProductDocument(ProductBrief):
    """A product with everything."""

    description = serializers.CharField()
    variants = VariantDocument(many=True)


class ProductPage(Page):
    """A page of products."""

    results = ProductBrief(many=True)


class CategoryNode(CategoryBrief):
    """A category, the number of published products in and below it, and its children."""

    product_count = serializers.IntegerField()
    children = serializers.ListField(
        child=serializers.DictField(), help_text="Categories of the same form."
    )


class CategoryTree(serializers.Serializer[Any]):
    """All categories."""

    results = CategoryNode(many=True)


class StockAtLocation(serializers.Serializer[Any]):
    """A balance."""

    code = serializers.CharField()
    name = serializers.CharField()
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    available = serializers.IntegerField()


class VariantInventory(serializers.Serializer[Any]):
    """How available a variant is; the numbers are for staff."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    availability = serializers.ChoiceField(choices=AVAILABILITY)
    on_hand = serializers.IntegerField(required=False)
    reserved = serializers.IntegerField(required=False)
    available = serializers.IntegerField(required=False)
    locations = StockAtLocation(many=True, required=False)


class ProductInventory(serializers.Serializer[Any]):
    """How available a product is: as much as the best of its variants."""

    product_id = serializers.UUIDField()
    availability = serializers.ChoiceField(choices=AVAILABILITY)
    variants = VariantInventory(many=True)


def product_document(row: dict[str, Any], *, for_staff: bool) -> dict[str, Any]:
    """Return the document of a row of `selectors.products.product_rows`."""
    currency = row["currency"]
    document = {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "brand": row["brand__name"],
        "category": _category(row),
        "price": _money(row["price_from_minor"], currency),
        "compare_at_price": _money(row["compare_at_minor"], currency),
        "images": [
            {
                "url": picture_url(image["file"]),
                "alt": image["alt"],
                "width": image["width"],
                "height": image["height"],
            }
            for image in row["pictures"]
        ],
        "rating": {
            "average": float(row["rating_average"]) if row["rating_count"] else None,
            "count": row["rating_count"],
        },
        "availability": band_of(row["best"]),
    }
    if "description" in row:
        document["description"] = row["description"]
    if "for_sale" in row:
        document["variants"] = [
            {
                "id": variant["id"],
                "sku": variant["sku"],
                "name": variant["name"],
                "options": variant["options"],
                "price": _money(variant["price_minor"], variant["currency"]),
                "availability": band_of(variant["available"]),
            }
            for variant in row["for_sale"]
        ]
    if for_staff:
        for column in ("status", "package_size", "version", "created_at", "updated_at"):
            document[column] = row[column]
    return document


def inventory_document(
    product_id: UUID, variants: list[dict[str, Any]], *, for_staff: bool
) -> dict[str, Any]:
    """Return the document of a row of `selectors.products.stock_row`."""
    documents = []
    best = 0
    for variant in variants:
        on_hand = sum(stock["on_hand"] for stock in variant["stock"])
        reserved = sum(stock["reserved"] for stock in variant["stock"])
        available = on_hand - reserved
        best = max(best, available)
        document: dict[str, Any] = {
            "variant_id": variant["id"],
            "sku": variant["sku"],
            "availability": band_of(available),
        }
        if for_staff:
            document |= {
                "on_hand": on_hand,
                "reserved": reserved,
                "available": available,
                "locations": [
                    {**stock, "available": stock["on_hand"] - stock["reserved"]}
                    for stock in variant["stock"]
                ],
            }
        documents.append(document)
    return {"product_id": product_id, "availability": band_of(best), "variants": documents}


def _category(row: dict[str, Any]) -> dict[str, Any] | None:
    if row["category__id"] is None:
        return None
    return {
        "id": row["category__id"],
        "slug": row["category__slug"],
        "name": row["category__name"],
    }


def _money(minor: int | None, currency: str) -> dict[str, str] | None:
    if minor is None:
        return None
    return {"amount": format_minor(minor, currency), "currency": currency}
