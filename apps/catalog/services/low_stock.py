"""Noticing what runs low, once for each time it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.catalog.models import ReorderPoint
from apps.catalog.selectors.low_stock import low_stock
from apps.catalog.services.stock.references import by_id
from apps.catalog.states import FREE
from apps.kernel.audit import record

# Two who look at once would delete and insert the same rows in different orders.
LOCK = 7_316_550_502

# What has never been in stock cannot run low: it has no balance.
NOTICE = f"""
WITH low AS MATERIALIZED (
    SELECT v.id AS variant_id
    FROM catalog_variant v
    JOIN catalog_product p ON p.id = v.product_id
    JOIN catalog_stock s ON s.variant_id = v.id
    JOIN catalog_stocklocation l ON l.id = s.location_id
    LEFT JOIN catalog_reorderpoint r ON r.variant_id = v.id
    WHERE v.is_active AND p.status = 'published'
    GROUP BY v.id, r.pieces
    HAVING coalesce(sum(greatest({FREE}, 0)) FILTER (WHERE l.is_active), 0)
        <= coalesce(r.pieces, %s)
), over AS (
    DELETE FROM catalog_lowstock
    WHERE variant_id NOT IN (SELECT variant_id FROM low)
)
INSERT INTO catalog_lowstock (variant_id) SELECT variant_id FROM low
ON CONFLICT DO NOTHING
RETURNING variant_id
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class RunningLow:
    """A variant of which there is not much left."""

    sku: str
    name: str
    available: int
    reorder_point: int


@dataclass(frozen=True, slots=True)
class LowStockDigest:
    """What has run low since somebody looked last: how many variants, and the first of them."""

    number: int
    first: tuple[RunningLow, ...]


def notice_low_stock(*, most: int) -> LowStockDigest:
    """Write down what has run low, and forget what has not any more. In the caller's transaction.

    Each variant is in one digest for each time it runs low.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            return LowStockDigest(0, ())
        cursor.execute(NOTICE, [settings.LOW_STOCK_THRESHOLD])
        new = [variant_id for (variant_id,) in cursor.fetchall()]
    rows = low_stock().filter(variant__in=new).order_by("variant__sku")[:most] if new else ()
    first = (
        RunningLow(row["sku"], row["name"], row["available"], row["reorder_point"]) for row in rows
    )
    return LowStockDigest(len(new), tuple(first))


@transaction.atomic
def set_reorder_points(*, lines: Sequence[tuple[str, int | None]]) -> dict[UUID, int | None]:
    """Say with how few pieces SKUs count as low; None is the store's number again.

    Of a SKU that is named twice the last counts. Raises UnknownVariant.
    """
    ids = dict(zip([sku for sku, _ in lines], by_id([(sku, 0) for sku, _ in lines]), strict=True))
    points = {ids[sku][0]: pieces for sku, pieces in lines}
    ReorderPoint.objects.filter(variant__in=[pk for pk, n in points.items() if n is None]).delete()
    ReorderPoint.objects.bulk_create(
        [ReorderPoint(variant_id=pk, pieces=n) for pk, n in points.items() if n is not None],
        update_conflicts=True,
        unique_fields=["variant"],
        update_fields=["pieces"],
    )
    record(
        "catalog.reorder_points_set",
        about=next(iter(points)),
        after={"lines": [list(line) for line in lines]},
    )
    return points
