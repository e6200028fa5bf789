"""The documents of stock: how rows become them, and what OpenAPI says about them."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.catalog.selectors.products import band_of

AVAILABILITY = ["in_stock", "low_stock", "out_of_stock", "preorder"]


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
