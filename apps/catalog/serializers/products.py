"""The documents of products: how rows become them, and what OpenAPI says about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.serializers.categories import CategoryBrief
from apps.catalog.serializers.inventory import AVAILABILITY
from apps.catalog.serializers.media import ImageDocument, image_document
from apps.catalog.states import band_of
from apps.kernel.money import format_minor
from apps.kernel.pagination import Page
from apps.kernel.serializers import MoneyField

OF_STAFF = ("status", "package_size", "tax_class", "version", "created_at", "updated_at")


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
    price = MoneyField(allow_null=True, help_text="Null: not for sale in that currency.")
    compare_at_price = MoneyField(allow_null=True)
    lowest_price_30_days = MoneyField(allow_null=True)
    availability = serializers.ChoiceField(choices=AVAILABILITY)


class TypeBrief(serializers.Serializer[Any]):
    """What kind of product it is."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string"},
            {"type": "number"},
            {"type": "boolean"},
            {"type": "array", "items": {"type": "string"}},
        ]
    }
)
class AttributeValue(serializers.JSONField):
    """A text, number, yes or no, date, choice or list of choices; the type knows which."""


class AttributeOfProduct(serializers.Serializer[Any]):
    """What is told of a product; the label is that of choices."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    unit = serializers.CharField()
    value = AttributeValue()
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]  # a document's field, not DRF's


class TagOfProduct(serializers.Serializer[Any]):
    """A word that staff have put on a product."""

    slug = serializers.CharField()
    name = serializers.CharField()


class ProductBrief(serializers.Serializer[Any]):
    """A product as lists show it. What is only for staff is missing for everybody else."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField(allow_null=True)
    category = CategoryBrief(allow_null=True)
    price = MoneyField(allow_null=True, help_text="Of the cheapest variant.")
    compare_at_price = MoneyField(
        allow_null=True, help_text="What the price is announced to be reduced from."
    )
    lowest_price_30_days = MoneyField(
        allow_null=True, help_text="The lowest one in the 30 days before the reduction."
    )
    images = ImageDocument(many=True)
    rating = Rating()
    availability = serializers.ChoiceField(choices=AVAILABILITY)
    description = serializers.CharField(required=False, help_text="With expand=description.")
    variants = VariantDocument(many=True, required=False, help_text="With expand=variants.")
    type = TypeBrief(allow_null=True, required=False, help_text="With expand=attributes.")
    attributes = AttributeOfProduct(many=True, required=False, help_text="With expand=attributes.")
    tags = TagOfProduct(many=True, required=False, help_text="With expand=tags.")
    breadcrumbs = CategoryBrief(
        many=True, required=False, help_text="Root to own category, with expand=breadcrumbs."
    )
    status = serializers.CharField(required=False, help_text="For staff.")
    package_size = serializers.CharField(required=False, help_text="For staff.")
    tax_class = serializers.CharField(
        required=False, help_text="For staff: its code; empty: the default one."
    )
    version = serializers.IntegerField(required=False, help_text="For staff.")
    created_at = serializers.DateTimeField(required=False, help_text="For staff.")
    updated_at = serializers.DateTimeField(required=False, help_text="For staff.")


class ProductDocument(ProductBrief):
    """A product with everything."""

    description = serializers.CharField()
    variants = VariantDocument(many=True)
    type = TypeBrief(allow_null=True)
    attributes = AttributeOfProduct(many=True)
    tags = TagOfProduct(many=True)
    breadcrumbs = CategoryBrief(many=True)
    seo_title = serializers.CharField(allow_blank=True)
    seo_description = serializers.CharField(allow_blank=True)
    publish_at = serializers.DateTimeField(
        allow_null=True, required=False, help_text="For staff: when it will be published."
    )
    unpublish_at = serializers.DateTimeField(
        allow_null=True, required=False, help_text="For staff: when it leaves the shop."
    )


class ProductPage(Page):
    """A page of products."""

    results = ProductBrief(many=True)


def product_document(row: dict[str, Any], *, with_variants: bool = True) -> dict[str, Any]:
    """Return the document of a row of `selectors.products.product_rows`."""
    document = {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "brand": row["brand__name"],
        "category": _brief(row, "category"),
        **_prices(row),
        "images": [image_document(image) for image in row["pictures"]],
        "rating": {
            "average": float(row["rating_average"]) if row["rating_count"] else None,
            "count": row["rating_count"],
        },
        "availability": band_of(row["best"]),
    }
    if "description" in row:
        document["description"] = row["description"]
    if "for_sale" in row and with_variants:
        document["variants"] = [
            {
                "id": variant["id"],
                "sku": variant["sku"],
                "name": variant["name"],
                "options": variant["options"],
                **_prices_of(variant, variant["price_minor"]),
                "availability": band_of(variant["available"]),
            }
            for variant in row["for_sale"]
        ]
    if "facts" in row:
        document["type"] = _brief(row, "type")
        document["attributes"] = row["facts"]
    if "labels" in row:
        document["tags"] = row["labels"]
    if "breadcrumbs" in row:
        document["breadcrumbs"] = row["breadcrumbs"]
    if "seo_title" in row:
        document["seo_title"] = row["seo_title"]
        document["seo_description"] = row["seo_description"]
    if "status" in row:
        document |= {column: row[column] for column in OF_STAFF}
        if "publish_at" in row:
            document["publish_at"] = row["publish_at"]
            document["unpublish_at"] = row["unpublish_at"]
    return document


def _brief(row: dict[str, Any], name: str) -> dict[str, Any] | None:
    if row[f"{name}__id"] is None:
        return None
    return {part: row[f"{name}__{part}"] for part in ("id", "slug", "name")}


def _prices(row: dict[str, Any]) -> dict[str, Any]:
    """Return the prices of the cheapest variant, of this moment where the variants are there."""
    if "for_sale" not in row:
        return _prices_of(row, row["price_from_minor"])
    priced = [each for each in row["for_sale"] if each["price_minor"] is not None]
    if not priced:
        return dict.fromkeys(("price", "compare_at_price", "lowest_price_30_days"))
    cheapest = min(priced, key=lambda each: each["price_minor"])
    return _prices_of(cheapest, cheapest["price_minor"])


def _prices_of(priced: dict[str, Any], minor: int | None) -> dict[str, Any]:
    return {
        "price": _money(minor, priced["currency"]),
        "compare_at_price": _money(priced["compare_at_minor"], priced["currency"]),
        "lowest_price_30_days": _money(priced["lowest_minor"], priced["currency"]),
    }


def _money(minor: int | None, currency: str) -> dict[str, str] | None:
    if minor is None:
        return None
    return {"amount": format_minor(minor, currency), "currency": currency}
