"""Hot variants: their free pieces lie in a pool as rows, so that buyers do not wait for each other.

Whoever deletes a unit has reserved the piece; the balance is not touched, because it has counted
the units as reserved since they were put into the pool. All other changes lock the balance as ever.
While there are units, more than few pieces stay outside the pool: nobody but the holder of the
balance's lock can take the variant into another band.
"""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.models import Stock
from apps.catalog.services.stock.balances import LOCKED, low
from apps.catalog.services.stock.quantities import columns
from apps.kernel.audit import record

POOL = 1_000

LOCK = f"""
WITH wanted AS (SELECT unnest(%s::uuid[]) AS variant_id), locked AS ({LOCKED})
SELECT count(*) FROM locked
"""

# Units that somebody is taking are passed over; nobody waits here.
CLAIM = """
WITH wanted AS (
    SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::bigint[]) AS w(variant_id, quantity)
), units AS MATERIALIZED (
    SELECT u.id, s.id AS stock_id
    FROM wanted w
    JOIN catalog_stock s ON s.variant_id = w.variant_id AND s.is_hot
    CROSS JOIN LATERAL (
        SELECT id FROM catalog_stockunit WHERE stock_id = s.id LIMIT w.quantity
        FOR UPDATE SKIP LOCKED
    ) u
), kept AS (
    SELECT r.id FROM catalog_reservation r JOIN catalog_stock s ON s.id = r.stock_id
    WHERE r.order_id = %(order)s AND r.state <> 'released'
        AND s.variant_id IN (SELECT variant_id FROM wanted)
), gone AS (
    -- As an array: a join would read the whole pool.
    DELETE FROM catalog_stockunit u
    WHERE u.id = ANY(ARRAY(SELECT id FROM units)) AND NOT EXISTS (SELECT FROM kept)
        AND (SELECT count(*) FROM units) = (SELECT sum(quantity) FROM wanted)
    RETURNING u.stock_id
), held AS (
    INSERT INTO catalog_reservation (order_id, stock_id, quantity, state, expires_at)
    SELECT %(order)s, stock_id, count(*), 'active', statement_timestamp() + %(hold)s::interval
    FROM gone GROUP BY stock_id
    ON CONFLICT (order_id, stock_id) DO UPDATE
    SET quantity = excluded.quantity, state = 'active', created_at = excluded.created_at,
        expires_at = excluded.expires_at, allocated_at = NULL
    WHERE catalog_reservation.state = 'released'
    RETURNING stock_id, quantity
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, order_id, reason)
    SELECT stock_id, 'reserve', 0, quantity, %(order)s, '' FROM held
)
SELECT (SELECT count(*) FROM gone) > 0,
    EXISTS (SELECT FROM kept)
        OR (SELECT count(DISTINCT stock_id) FROM gone) <> (SELECT count(*) FROM held)
"""

# Waits for those who are taking units: afterwards the pools are empty.
DRAIN = """
WITH gone AS (
    DELETE FROM catalog_stockunit u USING catalog_stock s
    WHERE s.id = u.stock_id AND s.variant_id = ANY(%s::uuid[]) RETURNING u.stock_id
)
UPDATE catalog_stock s SET reserved = s.reserved - g.units
FROM (SELECT stock_id, count(*) AS units FROM gone GROUP BY stock_id) g WHERE s.id = g.stock_id
"""

FILL = """
WITH wished AS (
    SELECT s.id, least(
        %(pool)s - (SELECT count(*) FROM catalog_stockunit u WHERE u.stock_id = s.id),
        s.on_hand - s.reserved - s.allocated - %(low)s - 1
    ) AS units
    FROM catalog_stock s JOIN catalog_stocklocation l ON l.id = s.location_id
    WHERE s.variant_id = ANY(%(variants)s::uuid[]) AND s.is_hot AND l.is_active
), filled AS (
    INSERT INTO catalog_stockunit (stock_id) SELECT id FROM wished, generate_series(1, units)
)
UPDATE catalog_stock s SET reserved = s.reserved + w.units
FROM wished w WHERE s.id = w.id AND w.units > 0
"""


def lock(variant_ids: Collection[UUID]) -> None:
    """Lock all balances of the variants until the transaction ends. One statement.

    Hot balances are locked before the statement that changes them. Takers of units hold them FOR
    KEY SHARE, by foreign keys, and while one of them lives PostgreSQL takes a version of the row
    that was overtaken for one that is being changed: a statement that began before that would wait
    at the former version for somebody who waits for it at the present one: decision 91.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(variant_ids)])


def claim(
    *, order_id: UUID, quantities: Mapping[UUID, int], hold_for: timedelta | None
) -> tuple[bool, bool]:
    """Take so many units of each variant, or none. Returns whether, and if they were had before."""
    parameters: dict[str, Any] = {"order": order_id, "hold": hold_for, **columns(quantities)}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, parameters)
        claimed, kept = cursor.fetchone()
    return claimed, kept


def drain(variant_ids: Collection[UUID]) -> None:
    """Put the units of locked balances back. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(DRAIN, [list(variant_ids)])


def fill(variant_ids: Collection[UUID]) -> None:
    """Fill the pools of locked hot balances with what more than few pieces leave. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"variants": list(variant_ids), "pool": POOL, "low": low()})


def fill_pools() -> int:
    """Fill the pools of all hot variants. Returns how many variants are hot."""
    hot = list(Stock.objects.filter(is_hot=True).values_list("variant_id", flat=True))
    for variant_id in hot:
        with transaction.atomic():
            lock([variant_id])
            fill([variant_id])
    return len(hot)


@transaction.atomic
def set_hot(*, variant_id: UUID, is_hot: bool) -> bool:
    """Let many buy a variant at once, or as any other. False if it has no stock, or is so already.

    It is so at the main location; what lies elsewhere is sold when the pool is dry.
    """
    lock([variant_id])
    drain([variant_id])
    changed = (
        Stock.objects.filter(variant_id=variant_id, location__code="main")
        .exclude(is_hot=is_hot)
        .update(is_hot=is_hot)
    )
    fill([variant_id])
    if changed:
        record("catalog.stock_made_hot", about=variant_id, after={"is_hot": is_hot})
    return bool(changed)
