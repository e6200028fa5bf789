"""Reads of transfers, and whether the ledger agrees with them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import StockTransfer

COLUMNS = ("id", "status", "note", "version", "created_at", "sent_at", "received_at")

LINES = """coalesce((
    SELECT json_agg(json_build_object(
        'variant_id', v.id, 'sku', v.sku, 'quantity', l.quantity, 'received', l.received,
        'lost', l.lost
    ) ORDER BY v.sku)
    FROM catalog_stocktransferline l JOIN catalog_variant v ON v.id = l.variant_id
    WHERE l.transfer_id = catalog_stocktransfer.id
), '[]')"""

# What has left and not arrived is on its way or lost; the ledger's lines have to say the same.
DIFFERENCES = """
SELECT t.id, v.sku, l.quantity - l.received, -coalesce(m.left_over, 0)::bigint
FROM catalog_stocktransfer t
JOIN catalog_stocktransferline l ON l.transfer_id = t.id
JOIN catalog_variant v ON v.id = l.variant_id
LEFT JOIN (
    SELECT m.document_id, s.variant_id, sum(m.on_hand_delta) AS left_over
    FROM catalog_stockmovement m JOIN catalog_stock s ON s.id = m.stock_id
    WHERE m.kind = 'transfer' AND m.document_id IS NOT NULL
    GROUP BY m.document_id, s.variant_id
) m ON m.document_id = t.id AND m.variant_id = l.variant_id
WHERE CASE WHEN t.sent_at IS NULL THEN 0 ELSE l.quantity - l.received END
    <> -coalesce(m.left_over, 0)
ORDER BY t.id, v.sku
"""


@dataclass(frozen=True, slots=True)
class TransferDifference:
    """A transfer of which the ledger says something else."""

    transfer_id: UUID
    sku: str
    not_arrived: int
    ledger_not_arrived: int


def transfers() -> QuerySet[StockTransfer, dict[str, Any]]:
    """Return the transfers as dictionaries."""
    return StockTransfer.objects.values(
        *COLUMNS, origin=F("from_location__code"), target=F("to_location__code")
    )


def whole_transfers() -> QuerySet[StockTransfer, dict[str, Any]]:
    """Return the transfers with their lines."""
    return transfers().annotate(moved=RawSQL(LINES, []))  # noqa: S611 - made of constants


def transfer_differences() -> list[TransferDifference]:
    """Return the transfers of which the ledger says something else. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        return [TransferDifference(*row) for row in cursor.fetchall()]
