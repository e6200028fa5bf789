"""The numbers of orders in the back office."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import ReadOnly
from apps.orders.models import OrderNumbers
from apps.orders.models.order_number import number_in


class ByOrderNumber(admin.ModelAdmin):
    """A page whose rows are found by an order's number as people see it."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = [
            str(number_in(word) or word) if "-" in word else word for word in search_term.split()
        ]
        return super().get_search_results(request, queryset, " ".join(words))


@admin.register(OrderNumbers)
class OrderNumbersAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "last", "skipped")
    ordering = ("-year",)
