"""Reads of the stock ledger and of what orders hold back."""

from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from apps.catalog.models import Reservation, StockMovement

MOVEMENT_COLUMNS = (
    *("id", "kind", "on_hand_delta", "reserved_delta", "allocated_delta", "order_id"),
    *("document_id", "reason", "actor_id", "created_at"),
)
RESERVATION_COLUMNS = (
    "id",
    "order_id",
    "quantity",
    "returned",
    "state",
    "created_at",
    "expires_at",
)


def movements() -> QuerySet[StockMovement, dict[str, Any]]:
    """Return the lines of the ledger as dictionaries."""
    return StockMovement.objects.values(
        *MOVEMENT_COLUMNS,
        variant_id=F("stock__variant_id"),
        sku=F("stock__variant__sku"),
        location=F("stock__location__code"),
    )


def adjusted_lines(*, document_id: UUID) -> list[dict[str, Any]]:
    """Return by how much a document has changed which balances, and what lies there now."""
    lines = StockMovement.objects.filter(document_id=document_id).values_list(
        "stock__variant__sku", "on_hand_delta", "stock__on_hand"
    )
    return [
        {"sku": sku, "delta": delta, "on_hand": on_hand}
        for sku, delta, on_hand in lines.order_by("stock__variant__sku")
    ]


def reservations() -> QuerySet[Reservation, dict[str, Any]]:
    """Return what orders hold back, a dictionary for each order, variant and location."""
    return Reservation.objects.values(
        *RESERVATION_COLUMNS,
        variant_id=F("stock__variant_id"),
        sku=F("stock__variant__sku"),
        location=F("stock__location__code"),
    )
