"""What customers wait for, in the back office."""

from django.contrib import admin

from apps.catalog.models import StockAlert
from apps.kernel.backoffice import ReadOnly


@admin.register(StockAlert)
class StockAlertAdmin(ReadOnly, admin.ModelAdmin):
    """Who waits for what, longest first: a reason to order it."""

    list_display = ("created_at", "sku", "customer_id")
    list_select_related = ("variant",)
    search_fields = ("variant__sku", "variant__product__name", "=customer_id")
    ordering = ("created_at", "id")

    @admin.display(ordering="variant__sku")
    def sku(self, alert: StockAlert) -> str:
        """What is waited for."""
        return alert.variant.sku
