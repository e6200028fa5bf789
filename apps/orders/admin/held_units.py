"""Who holds how much of the stock without a payment, in the back office."""

from django.contrib import admin

from apps.kernel.backoffice import ReadOnly
from apps.orders.models import HeldUnits


@admin.register(HeldUnits)
class HeldUnitsAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("order", "buyer", "network", "units")
    search_fields = ("buyer", "network")
    list_select_related = ("order",)
    ordering = ("-units", "-order")
