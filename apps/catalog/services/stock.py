"""Everything that changes stock: each change and its ledger line are one statement.

All of them lock balances in the order of the variants' ids, so that no two can deadlock.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.models import Variant
from apps.kernel.errors import Conflict, Invalid, NotFound
from apps.kernel.ids import new_id

LARGEST_QUANTITY = 1_000_000_000

RESERVE = """
WITH wanted AS (
    SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::int[]) AS w(variant_id, quantity)
), locked AS MATERIALIZED (
    -- Read after the lock is held, so these are the latest numbers, not the snapshot's.
    SELECT s.id, s.variant_id, w.quantity, s.on_hand - s.reserved >= w.quantity AS enough
    FROM catalog_stock s JOIN wanted w ON w.variant_id = s.variant_id
    WHERE s.location_id = (SELECT id FROM catalog_stocklocation WHERE code = 'main')
    ORDER BY s.variant_id
    FOR NO KEY UPDATE OF s
), granted AS MATERIALIZED (
    -- All or nothing.
    SELECT id, quantity FROM locked
    WHERE (SELECT count(*) FROM locked WHERE enough) = (SELECT count(*) FROM wanted)
), taken AS (
    UPDATE catalog_stock s SET reserved = s.reserved + g.quantity
    FROM granted g WHERE s.id = g.id
    RETURNING s.id, g.quantity
), held AS (
    INSERT INTO catalog_reservation (order_id, stock_id, quantity, state)
    SELECT %(order)s, id, quantity, 'active' FROM taken
    ON CONFLICT (order_id, stock_id) DO UPDATE
    SET quantity = excluded.quantity, state = 'active', created_at = excluded.created_at
    WHERE catalog_reservation.state = 'released'
    RETURNING stock_id, quantity
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, order_id, reason)
    SELECT stock_id, 'reserve', 0, quantity, %(order)s, '' FROM held
)
SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM held),
    ARRAY(SELECT variant_id FROM wanted EXCEPT SELECT variant_id FROM locked WHERE enough)
"""

# The second of two parallel calls waits for the first one's reservations and finds none active.
SETTLE = """
WITH active AS MATERIALIZED (
    SELECT id, stock_id, quantity FROM catalog_reservation
    WHERE order_id = %(order)s AND state = 'active'
    ORDER BY id
    FOR UPDATE
), locked AS MATERIALIZED (
    SELECT s.id, a.quantity
    FROM catalog_stock s JOIN active a ON a.stock_id = s.id
    ORDER BY s.variant_id
    FOR NO KEY UPDATE OF s
), moved AS (
    UPDATE catalog_stock s
    SET on_hand = s.on_hand - l.quantity * %(leaves)s, reserved = s.reserved - l.quantity
    FROM locked l WHERE s.id = l.id
    RETURNING s.id, l.quantity
), settled AS (
    UPDATE catalog_reservation r SET state = %(state)s FROM active a WHERE r.id = a.id
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, order_id, reason)
    SELECT id, %(kind)s, -quantity * %(leaves)s, -quantity, %(order)s, '' FROM moved
)
SELECT count(*) FROM moved
"""

RECEIVE = """
WITH coming AS (
    SELECT c.* FROM unnest(%(ids)s::uuid[], %(variants)s::uuid[], %(quantities)s::int[])
        AS c(id, variant_id, quantity)
    JOIN catalog_variant v ON v.id = c.variant_id
), received AS (
    INSERT INTO catalog_stock AS s (id, variant_id, location_id, on_hand, reserved)
    SELECT c.id, c.variant_id, l.id, c.quantity, 0
    FROM coming c CROSS JOIN catalog_stocklocation l WHERE l.code = 'main'
    ORDER BY c.variant_id
    ON CONFLICT (variant_id, location_id) DO UPDATE SET on_hand = s.on_hand + excluded.on_hand
    RETURNING s.id, s.variant_id
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, reason, actor_id)
    SELECT r.id, 'receive', c.quantity, 0, %(reason)s, %(actor)s
    FROM received r JOIN coming c ON c.variant_id = r.variant_id
)
SELECT count(*) FROM received
"""

# A balance that never was is made first, so that there is a row to lock.
OPEN = """
INSERT INTO catalog_stock (id, variant_id, location_id, on_hand, reserved)
SELECT o.id, o.variant_id, l.id, 0, 0
FROM unnest(%(ids)s::uuid[], %(variants)s::uuid[]) AS o(id, variant_id)
JOIN catalog_variant v ON v.id = o.variant_id
CROSS JOIN catalog_stocklocation l WHERE l.code = 'main'
ORDER BY o.variant_id
ON CONFLICT DO NOTHING
"""

ADJUST = """
WITH counted AS (
    SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::int[]) AS c(variant_id, on_hand)
), locked AS MATERIALIZED (
    SELECT s.id, s.variant_id, c.on_hand, c.on_hand - s.on_hand AS delta,
        c.on_hand >= s.reserved AS covered
    FROM catalog_stock s JOIN counted c ON c.variant_id = s.variant_id
    WHERE s.location_id = (SELECT id FROM catalog_stocklocation WHERE code = 'main')
    ORDER BY s.variant_id
    FOR NO KEY UPDATE OF s
), adjusted AS (
    UPDATE catalog_stock s SET on_hand = l.on_hand
    FROM locked l WHERE s.id = l.id AND l.covered AND l.delta <> 0
    RETURNING s.id, l.delta
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, reason, actor_id)
    SELECT id, 'adjust', delta, 0, %(reason)s, %(actor)s FROM adjusted
)
SELECT (SELECT count(*) FROM locked), ARRAY(SELECT variant_id FROM locked WHERE NOT covered)
"""


class OutOfStock(Conflict):
    """There is not enough left of some SKUs."""

    code = "out_of_stock"


class AlreadyReserved(Conflict):
    """The order holds back, or has shipped, these SKUs already."""

    code = "already_reserved"


class NotAQuantity(Invalid):
    """A quantity is a whole number within bounds."""

    code = "not_a_quantity"


class UnknownVariant(NotFound):
    """There is no such variant."""

    code = "unknown_variant"


class StockIsReserved(Conflict):
    """Orders hold back more than was counted."""

    code = "stock_is_reserved"


def reserve(*, order_id: UUID, quantities: Mapping[UUID, int]) -> None:
    """Hold back stock for an order, by variant id: all of it or nothing. One statement.

    What was released before can be reserved again. The caller is in a transaction and rolls it
    back on a refusal.

    Raises OutOfStock with the SKUs that fell short, AlreadyReserved, NotAQuantity.
    """
    if not quantities:
        return
    _check(quantities.values(), least=1)
    with connection.cursor() as cursor:
        cursor.execute(RESERVE, {"order": order_id, **_columns(quantities)})
        taken, held, short = cursor.fetchone()
    if short:
        raise OutOfStock("There is not enough left.", skus=_skus(short))
    if taken != held:
        raise AlreadyReserved("The order has its stock already.", order_id=str(order_id))


def release(*, order_id: UUID) -> bool:
    """Give back what an order holds. False if it held nothing. One statement, repeatable."""
    return _settle(order_id, kind="release", state="released", leaves=0)


def ship(*, order_id: UUID) -> bool:
    """Let what an order holds leave the house. False if it held nothing. One statement."""
    return _settle(order_id, kind="ship", state="shipped", leaves=1)


@transaction.atomic
def receive(*, quantities: Mapping[UUID, int], reason: str, actor_id: UUID | None = None) -> None:
    """Take goods in, by variant id. One statement.

    Raises NotAQuantity, UnknownVariant.
    """
    if not quantities:
        return
    _check(quantities.values(), least=1)
    with connection.cursor() as cursor:
        cursor.execute(
            RECEIVE,
            {
                "ids": [new_id() for _ in quantities],
                **_columns(quantities),
                "reason": reason,
                "actor": actor_id,
            },
        )
        (received,) = cursor.fetchone()
    if received != len(quantities):
        raise UnknownVariant("There is no such variant.")


@transaction.atomic
def adjust(*, counts: Mapping[UUID, int], reason: str, actor_id: UUID | None = None) -> None:
    """Set what lies in the main location to what was counted, by variant id.

    Raises NotAQuantity, UnknownVariant, StockIsReserved when orders hold back more than that.
    """
    if not counts:
        return
    _check(counts.values(), least=0)
    columns = _columns(counts)
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"ids": [new_id() for _ in counts], **columns})
        cursor.execute(ADJUST, {**columns, "reason": reason, "actor": actor_id})
        found, reserved = cursor.fetchone()
    if found != len(counts):
        raise UnknownVariant("There is no such variant.")
    if reserved:
        raise StockIsReserved("Orders hold back more than that.", skus=_skus(reserved))


def _settle(order_id: UUID, *, kind: str, state: str, leaves: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"order": order_id, "kind": kind, "state": state, "leaves": leaves})
        (moved,) = cursor.fetchone()
    return bool(moved)


def _columns(quantities: Mapping[UUID, int]) -> dict[str, list[UUID] | list[int]]:
    return {"variants": list(quantities.keys()), "quantities": list(quantities.values())}


def _check(quantities: Iterable[int], *, least: int) -> None:
    if not all(type(q) is int and least <= q <= LARGEST_QUANTITY for q in quantities):
        raise NotAQuantity(f"A quantity is a whole number from {least} to {LARGEST_QUANTITY}.")


def _skus(variant_ids: Iterable[UUID]) -> list[str]:
    """Name variants in a refusal: by SKU, or by id where there is none."""
    ids = list(variant_ids)
    known = dict(Variant.objects.filter(pk__in=ids).values_list("pk", "sku"))
    return sorted(known.get(pk, str(pk)) for pk in ids)
