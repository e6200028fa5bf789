"""Reads of the alerts that customers have set."""

from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from apps.catalog.models import StockAlert

COLUMNS = ("id", "variant_id", "created_at")


def alerts_of(*, customer_id: UUID) -> QuerySet[StockAlert, dict[str, Any]]:
    """Return what a customer waits for, as dictionaries."""
    return StockAlert.objects.filter(customer_id=customer_id).values(
        *COLUMNS,
        sku=F("variant__sku"),
        product_id=F("variant__product_id"),
        name=F("variant__product__name"),
        variant_name=F("variant__name"),
    )
