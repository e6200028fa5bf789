"""The documents of what runs low."""

from typing import Any

from rest_framework import serializers

from apps.catalog.serializers.warehouse import MOST_LINES, QuantityField, SkuField
from apps.kernel.pagination import Page
from apps.kernel.serializers import StrictSerializer


class LowStockDocument(serializers.Serializer[Any]):
    """A variant of which there are no more pieces than its reorder point."""

    variant_id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField(help_text="The product's.")
    available = serializers.IntegerField(help_text="Pieces that can be sold now.")
    reorder_point = serializers.IntegerField()
    since = serializers.DateTimeField()


class LowStockPage(Page):
    """A page of what has run low."""

    results = LowStockDocument(many=True)


class ReorderPointDocument(serializers.Serializer[Any]):
    """With how few pieces a variant counts as low, where it is not the store's number."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    pieces = serializers.IntegerField()


class ReorderPointPage(Page):
    """A page of reorder points."""

    results = ReorderPointDocument(many=True)


class ReorderPoints(StrictSerializer):
    """With how few pieces SKUs count as low. Those that are not named stay as they are."""

    class ReorderPointLine(StrictSerializer):
        """One SKU; null is the store's number again."""

        sku = SkuField()
        pieces = QuantityField(allow_null=True)

    lines = serializers.ListField(child=ReorderPointLine(), min_length=1, max_length=MOST_LINES)
