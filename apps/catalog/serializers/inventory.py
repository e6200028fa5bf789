"""The documents of stock: how rows become them, and what OpenAPI says about them."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.catalog.models import Stock
from apps.catalog.states import band_of

AVAILABILITY = ["in_stock", "low_stock", "out_of_stock", "preorder"]


class StockAtLocation(serializers.Serializer[Any]):
    """A balance. Pieces at a location that is not active are not for sale."""

    code = serializers.CharField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    allocated = serializers.IntegerField()
    available = serializers.IntegerField()
    policy = serializers.ChoiceField(choices=Stock.Policy.values)
    backorder_limit = serializers.IntegerField()


class VariantInventory(serializers.Serializer[Any]):
    """How available a variant is; the numbers are for staff."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    availability = serializers.ChoiceField(choices=AVAILABILITY)
    available_on = serializers.DateField(
        allow_null=True, help_text="From when on it can be sent, if it can only be ordered ahead."
    )
    on_hand = serializers.IntegerField(required=False)
    reserved = serializers.IntegerField(required=False, help_text="Held back for unpaid orders.")
    allocated = serializers.IntegerField(required=False, help_text="Waits for paid orders.")
    available = serializers.IntegerField(
        required=False, help_text="What can be ordered now, what is ordered ahead included."
    )
    locations = StockAtLocation(many=True, required=False)


class VariantAvailability(VariantInventory):
    """The same, with the product that it belongs to."""

    product_id = serializers.UUIDField()


class Availability(serializers.Serializer[Any]):
    """What was asked for, in that order; what is unknown or not sold is left out."""

    results = VariantAvailability(many=True)


class ProductInventory(serializers.Serializer[Any]):
    """How available a product is: as much as the best of its variants."""

    product_id = serializers.UUIDField()
    availability = serializers.ChoiceField(choices=AVAILABILITY)
    variants = VariantInventory(many=True)


def inventory_document(
    product_id: UUID, variants: list[dict[str, Any]], *, for_staff: bool
) -> dict[str, Any]:
    """Return the document of a row of `selectors.stock.stock_row`."""
    best = max((variant["best"] for variant in variants), default=-1)
    return {
        "product_id": product_id,
        "availability": band_of(best),
        "variants": [variant_document(variant, for_staff=for_staff) for variant in variants],
    }


def variant_document(variant: dict[str, Any], *, for_staff: bool) -> dict[str, Any]:
    """Return the document of one variant of `selectors.stock`."""
    document: dict[str, Any] = {
        "variant_id": variant["id"],
        "sku": variant["sku"],
        "availability": band_of(variant["best"]),
        "available_on": variant["available_on"] if variant["best"] == 0 else None,
    }
    if for_staff:
        document |= {
            name: sum(balance[name] for balance in variant["stock"])
            for name in ("on_hand", "reserved", "allocated")
        }
        document |= {"available": variant["orderable"], "locations": variant["stock"]}
    return document
