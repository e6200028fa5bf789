"""What runs low, in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.catalog.admin.skus import SkuField
from apps.catalog.models import LowStock, ReorderPoint
from apps.catalog.selectors.low_stock import left
from apps.kernel.backoffice import ReadOnly, Recorded


@admin.register(LowStock)
class LowStockAdmin(ReadOnly, admin.ModelAdmin):
    """What has run low, the latest first."""

    list_display = ("sku", "product", "available", "since")
    list_select_related = ("variant__product",)
    search_fields = ("variant__sku", "variant__product__name")
    ordering = ("-since", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LowStock]:
        return super().get_queryset(request).annotate(left=left())

    @admin.display(ordering="variant__sku")
    def sku(self, low: LowStock) -> str:
        """What it is."""
        return low.variant.sku

    @admin.display(ordering="variant__product__name")
    def product(self, low: LowStock) -> str:
        """What it is called."""
        return low.variant.product.name

    @admin.display(ordering="left")
    def available(self, low: Any) -> int:
        """How many pieces can be sold now."""
        return int(low.left)


class ReorderPointForm(forms.ModelForm):
    """From how few pieces on a SKU is low."""

    variant = SkuField()

    class Meta:
        model = ReorderPoint
        fields = ("variant", "pieces")


@admin.register(ReorderPoint)
class ReorderPointAdmin(Recorded, admin.ModelAdmin):
    """With how few pieces a variant counts as low."""

    list_display = ("sku", "pieces")
    list_select_related = ("variant",)
    form = ReorderPointForm
    search_fields = ("variant__sku",)
    ordering = ("variant__sku",)

    @admin.display(ordering="variant__sku")
    def sku(self, point: ReorderPoint) -> str:
        """What it is."""
        return point.variant.sku
