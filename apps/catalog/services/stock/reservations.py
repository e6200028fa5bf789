"""What orders hold back: reserved until a time, allocated when paid, shipped, or given back."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.services.stock import pools
from apps.catalog.services.stock.balances import CROSSED, LOCKED, TOLD, low, tell
from apps.catalog.services.stock.goods import UnknownStockLocation, open_balances
from apps.catalog.services.stock.quantities import Quantities, columns, skus_of, summed
from apps.kernel.errors import Conflict
from apps.kernel.prepared import prepared

RESERVE = f"""
WITH asked AS (
    SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::bigint[]) AS w(variant_id, quantity)
), hot AS (
    SELECT a.variant_id FROM asked a JOIN catalog_stock s ON s.variant_id = a.variant_id
    WHERE s.is_hot AND NOT %(hot_too)s
), wanted AS (
    SELECT variant_id, quantity FROM asked WHERE NOT EXISTS (SELECT FROM hot)
), locked AS MATERIALIZED ({LOCKED}
), heated AS (
    -- In the moment before the lock was had.
    SELECT variant_id FROM locked WHERE is_hot AND NOT %(hot_too)s
), rooms AS (
    -- What lies there comes first, by the priority of the locations; then what is to come.
    SELECT r.*, sum(room) OVER (
        PARTITION BY variant_id ORDER BY ahead, priority, code
    ) - room AS before
    FROM (
        SELECT id, variant_id, priority, code, false AS ahead, greatest(free, 0) AS room
        FROM locked WHERE is_active
        UNION ALL
        SELECT id, variant_id, priority, code, true, greatest(ceiling + least(free, 0), 0)
        FROM locked WHERE is_active AND ceiling > 0
    ) r
), offered AS (
    SELECT r.id, r.variant_id, sum(least(r.room, w.quantity - r.before))::bigint AS quantity
    FROM rooms r JOIN wanted w ON w.variant_id = r.variant_id
    WHERE r.room > 0 AND r.before < w.quantity
    GROUP BY r.id, r.variant_id
), short AS (
    SELECT w.variant_id FROM wanted w LEFT JOIN offered o ON o.variant_id = w.variant_id
    GROUP BY w.variant_id, w.quantity HAVING coalesce(sum(o.quantity), 0) < w.quantity
), kept AS (
    SELECT r.id FROM catalog_reservation r JOIN catalog_stock s ON s.id = r.stock_id
    WHERE r.order_id = %(order)s AND r.state <> 'released'
        AND s.variant_id IN (SELECT variant_id FROM wanted)
), moved AS (
    -- All or nothing.
    UPDATE catalog_stock s SET reserved = s.reserved + o.quantity
    FROM offered o
    WHERE s.id = o.id AND NOT EXISTS (SELECT FROM short) AND NOT EXISTS (SELECT FROM kept)
        AND NOT EXISTS (SELECT FROM heated)
    RETURNING s.id, -o.quantity AS freed, 0 AS raised
), held AS (
    INSERT INTO catalog_reservation (order_id, stock_id, quantity, state, expires_at)
    SELECT %(order)s, id, -freed, 'active', statement_timestamp() + %(hold)s::interval FROM moved
    ON CONFLICT (order_id, stock_id) DO UPDATE
    SET quantity = excluded.quantity, state = 'active', created_at = excluded.created_at,
        expires_at = excluded.expires_at, allocated_at = NULL
    WHERE catalog_reservation.state = 'released'
    RETURNING stock_id, quantity
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, order_id, reason)
    SELECT stock_id, 'reserve', 0, quantity, %(order)s, '' FROM held
), crossed AS ({CROSSED})
SELECT ARRAY(SELECT variant_id FROM hot UNION SELECT variant_id FROM heated)::uuid[],
    ARRAY(SELECT variant_id FROM short)::uuid[],
    EXISTS (SELECT FROM kept) OR (SELECT count(*) FROM moved) <> (SELECT count(*) FROM held),
    {TOLD}
"""

# The second of two parallel calls waits for the first one's reservations and finds none live.
# Hot balances are locked by one statement and changed by the next one: see `pools.lock`.
_SETTLE = f"""
WITH live AS MATERIALIZED (
    SELECT id, stock_id, quantity, state FROM catalog_reservation
    WHERE order_id = %(order)s AND {{live}}
    ORDER BY id
    FOR UPDATE
), wanted AS (
    SELECT s.variant_id FROM catalog_stock s JOIN live ON live.stock_id = s.id
), locked AS MATERIALIZED ({LOCKED}
), missing AS (
    SELECT k.variant_id FROM locked k JOIN live ON live.stock_id = k.id
    WHERE k.on_hand < live.quantity AND {{leaves}}
), heated AS (
    SELECT FROM locked WHERE is_hot AND NOT %(hot_too)s
), settled AS (
    UPDATE catalog_reservation r SET state = %(state)s, {{also}}
    FROM live JOIN locked k ON k.id = live.stock_id
    WHERE r.id = live.id AND NOT EXISTS (SELECT FROM missing) AND NOT EXISTS (SELECT FROM heated)
    RETURNING r.stock_id,
        CASE WHEN {{leaves}} THEN -live.quantity ELSE 0 END AS on_hand,
        CASE live.state WHEN 'active' THEN -live.quantity ELSE 0 END AS reserved,
        CASE WHEN {{allocates}} THEN live.quantity
            WHEN live.state = 'allocated' THEN -live.quantity ELSE 0 END AS allocated
), moved AS (
    UPDATE catalog_stock s
    SET on_hand = s.on_hand + d.on_hand, reserved = s.reserved + d.reserved,
        allocated = s.allocated + d.allocated
    FROM settled d WHERE s.id = d.stock_id
    RETURNING s.id, d.on_hand - d.reserved - d.allocated AS freed, 0 AS raised
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, allocated_delta, order_id, reason)
    SELECT stock_id, %(kind)s, on_hand, reserved, allocated, %(order)s, %(reason)s FROM settled
), crossed AS ({CROSSED})
SELECT EXISTS (SELECT FROM heated), (SELECT count(*) FROM moved),
    ARRAY(SELECT variant_id FROM missing), {TOLD}
"""

_HELD = "state IN ('active', 'allocated')"
_RESERVED = "state = 'active'"
_OVER = "state = 'active' AND expires_at <= statement_timestamp()"

RELEASE = _SETTLE.format(live=_HELD, leaves="false", allocates="false", also="allocated_at = NULL")
EXPIRE = _SETTLE.format(live=_OVER, leaves="false", allocates="false", also="allocated_at = NULL")
ALLOCATE = _SETTLE.format(
    live=_RESERVED, leaves="false", allocates="true", also="allocated_at = clock_timestamp()"
)
SHIP = _SETTLE.format(live=_HELD, leaves="true", allocates="false", also="expires_at = NULL")

RETURN = f"""
WITH wanted AS (
    SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::bigint[]) AS w(variant_id, quantity)
), shipped AS MATERIALIZED (
    SELECT r.id, s.variant_id, r.quantity - r.returned AS room
    FROM catalog_reservation r JOIN catalog_stock s ON s.id = r.stock_id
    WHERE r.order_id = %(order)s AND r.state = 'shipped'
        AND s.variant_id IN (SELECT variant_id FROM wanted)
    ORDER BY r.id
    FOR UPDATE OF r
), rooms AS (
    SELECT id, variant_id, room,
        sum(room) OVER (PARTITION BY variant_id ORDER BY id) - room AS before
    FROM shipped
), offered AS (
    SELECT r.id, r.variant_id, least(r.room, w.quantity - r.before) AS quantity
    FROM rooms r JOIN wanted w ON w.variant_id = r.variant_id
    WHERE r.room > 0 AND r.before < w.quantity
), beyond AS (
    SELECT w.variant_id FROM wanted w LEFT JOIN offered o ON o.variant_id = w.variant_id
    GROUP BY w.variant_id, w.quantity HAVING coalesce(sum(o.quantity), 0) < w.quantity
), counted AS (
    UPDATE catalog_reservation r SET returned = r.returned + o.quantity
    FROM offered o WHERE r.id = o.id AND NOT EXISTS (SELECT FROM beyond)
), locked AS MATERIALIZED ({LOCKED}
), moved AS (
    UPDATE catalog_stock s SET on_hand = s.on_hand + w.quantity
    FROM wanted w JOIN locked l ON l.variant_id = w.variant_id
    WHERE s.id = l.id AND NOT EXISTS (SELECT FROM beyond)
        AND CASE WHEN %(location)s::uuid IS NULL THEN l.code = 'main'
            ELSE l.location_id = %(location)s END
    RETURNING s.id, w.quantity AS freed, 0 AS raised
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, order_id, reason, actor_id)
    SELECT id, 'return', freed, 0, %(order)s, %(reason)s, %(actor)s FROM moved
), crossed AS ({CROSSED})
SELECT ARRAY(SELECT variant_id FROM beyond), (SELECT count(*) FROM moved), {TOLD}
"""

KEEP = """
UPDATE catalog_reservation SET expires_at = NULL
WHERE order_id = %s AND state IN ('active', 'allocated')
"""


class OutOfStock(Conflict):
    """There is not enough left of some SKUs."""

    code = "out_of_stock"


class AlreadyReserved(Conflict):
    """The order holds back, or has shipped, these SKUs already."""

    code = "already_reserved"


class GoodsNotThere(Conflict):
    """What was ordered ahead has not come in yet."""

    code = "goods_not_there"


class NotShipped(Conflict):
    """More would come back than the order was sent."""

    code = "not_shipped"


def reserve(*, order_id: UUID, quantities: Quantities, hold_for: timedelta | None = None) -> None:
    """Hold back stock for an order, by variant id: all of it or nothing.

    Lines of one variant are summed. What lies at the active locations goes first, in the order of
    their priority, then what may be promised of what is to come. `hold_for` counts by the
    database's clock; without it the stock is held until somebody gives it back. What was released
    before can be reserved again. One statement; another one when somebody is to be told that a
    variant is in another band. Who calls it twice for one order locks the order.

    Raises OutOfStock with the SKUs that fell short, AlreadyReserved, NotAQuantity.
    """
    wanted = summed(quantities)
    if not wanted:
        return
    with transaction.atomic(savepoint=False):
        hot, short, kept = _take(order_id, wanted, hold_for)
        if hot:
            short, kept = _take_hot(order_id, wanted, hold_for, hot=set(hot))
    if kept:
        raise AlreadyReserved("The order has its stock already.", order_id=str(order_id))
    if short:
        raise OutOfStock("There is not enough left.", skus=skus_of(short))


def keep(*, order_id: UUID) -> bool:
    """Hold what is reserved without an end, because its money is being taken.

    False if the order holds nothing. One statement, repeatable.
    """
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [order_id])
        return bool(cursor.rowcount)


def allocate(*, order_id: UUID) -> bool:
    """Give a paid order what it holds, for good. False if it held nothing. Repeatable."""
    return _settle(ALLOCATE, order_id, kind="allocate", state="allocated")


def release(*, order_id: UUID, reason: str = "") -> bool:
    """Give back what an order holds. False if it held nothing. Repeatable."""
    return _settle(RELEASE, order_id, kind="release", state="released", reason=reason)


def ship(*, order_id: UUID) -> bool:
    """Let what an order holds leave the house. False if it held nothing. Repeatable.

    Raises GoodsNotThere with the SKUs of which not enough has come in.
    """
    return _settle(SHIP, order_id, kind="ship", state="shipped")


def expire_reservations(*, limit: int = 500) -> int:
    """Give back what was held until a time that is over, by the database's clock.

    Returns how many orders lost what they held.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT order_id FROM catalog_reservation
            WHERE state = 'active' AND expires_at <= statement_timestamp()
            GROUP BY order_id ORDER BY min(expires_at) LIMIT %s
            """,
            [limit],
        )
        overdue = [order_id for (order_id,) in cursor.fetchall()]
    return sum(
        _settle(EXPIRE, order_id, kind="release", state="released", reason="its time was over")
        for order_id in overdue
    )


@transaction.atomic
def return_to_stock(
    *,
    order_id: UUID,
    quantities: Quantities,
    reason: str,
    location_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Take back what an order was sent, at the location or the main one, by variant id.

    Raises NotAQuantity, UnknownStockLocation; NotShipped with the SKUs of which the order was sent
    less, or has given back the rest before.
    """
    wanted = summed(quantities)
    if not wanted:
        return
    if open_balances(wanted, [location_id]):
        pools.lock(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            RETURN,
            {
                "order": order_id,
                "location": location_id,
                "reason": reason,
                "actor": actor_id,
                "low": low(),
                **columns(wanted),
            },
        )
        beyond, taken, told = cursor.fetchone()
    if beyond:
        raise NotShipped("The order was not sent so many.", skus=skus_of(beyond))
    if taken != len(wanted):
        raise UnknownStockLocation("There is no such stock location.")
    tell(told)


def _take(
    order_id: UUID,
    wanted: Mapping[UUID, int],
    hold_for: timedelta | None,
    *,
    hot_too: bool = False,
) -> tuple[list[UUID], list[UUID], bool]:
    """Reserve from the balances. Returns hot variants, which keep it from that, and refusals."""
    parameters: dict[str, Any] = {"order": order_id, "hold": hold_for, **columns(wanted)}
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(RESERVE, {**parameters, "low": low(), "hot_too": hot_too})
        hot, short, kept, told = cursor.fetchone()
    tell(told)
    return hot, short, kept


def _take_hot(
    order_id: UUID, wanted: Mapping[UUID, int], hold_for: timedelta | None, *, hot: set[UUID]
) -> tuple[list[UUID], bool]:
    """Reserve units of the hot variants, and the others from their balances.

    A pool that is dry, or whose last units others are taking, is not sold out: then this waits for
    the balances, looks into the pools again, and at last puts them together with what lies outside.
    Units are taken last, so that who has them waits for nobody.
    """
    units = {variant_id: quantity for variant_id, quantity in wanted.items() if variant_id in hot}
    others = {variant_id: wanted[variant_id] for variant_id in wanted.keys() - hot}
    for waits in (False, True):
        if waits:
            pools.lock(wanted)
        try:
            with transaction.atomic():
                if others:
                    hotter, short, kept = _take(order_id, others, hold_for, hot_too=waits)
                    if hotter:
                        raise _Dry
                    if short or kept:
                        return short, kept
                claimed, kept = pools.claim(order_id=order_id, quantities=units, hold_for=hold_for)
                if kept:
                    transaction.set_rollback(True)
                if not (claimed or kept):
                    raise _Dry
                return [], kept
        except _Dry:
            continue
    pools.drain(units)
    _, short, kept = _take(order_id, wanted, hold_for, hot_too=True)
    pools.fill(units)
    return short, kept


class _Dry(Exception):
    """There are not so many units that nobody else is taking."""


def _settle(statement: str, order_id: UUID, *, kind: str, state: str, reason: str = "") -> bool:
    parameters: dict[str, Any] = {
        "order": order_id,
        "kind": kind,
        "state": state,
        "reason": reason[:200],
        "low": low(),
    }
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(statement, {**parameters, "hot_too": False})
        hot, moved, missing, told = cursor.fetchone()
        if hot:
            cursor.execute(statement, {**parameters, "hot_too": True})
            _, moved, missing, told = cursor.fetchone()
        tell(told)
    if missing:
        raise GoodsNotThere("It has not come in yet.", skus=skus_of(missing))
    return bool(moved)
