"""An order gives back a part of what it holds."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from uuid import UUID

from django.db import connection, transaction

from apps.catalog.services.stock.balances import CROSSED, LOCKED, TOLD, low, tell
from apps.catalog.services.stock.quantities import Quantities, columns, skus_of, summed
from apps.kernel.errors import Conflict

# What is reserved last, by the priority of the locations, goes back first. Locks are taken as in
# `reservations`: what the order holds, then the balances; hot ones are changed by a second
# statement, which waits for nobody.
GIVE_UP = f"""
WITH asked AS (
    SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::bigint[]) AS w(variant_id, quantity)
), live AS MATERIALIZED (
    SELECT r.id, r.stock_id, s.variant_id, r.quantity, r.state, l.priority, l.code
    FROM catalog_reservation r JOIN catalog_stock s ON s.id = r.stock_id
    JOIN catalog_stocklocation l ON l.id = s.location_id
    WHERE r.order_id = %(order)s AND r.state IN ('active', 'allocated')
        AND s.variant_id IN (SELECT variant_id FROM asked)
    ORDER BY r.id
    FOR UPDATE OF r
), wanted AS (
    SELECT * FROM asked WHERE (SELECT count(*) FROM live) >= 0
), rooms AS (
    SELECT *, sum(quantity) OVER (
        PARTITION BY variant_id ORDER BY priority DESC, code DESC
    ) - quantity AS before
    FROM live
), given AS (
    SELECT r.id, r.stock_id, r.variant_id, r.state, r.quantity AS held,
        least(r.quantity, w.quantity - r.before)::int AS back
    FROM rooms r JOIN wanted w ON w.variant_id = r.variant_id
    WHERE r.before < w.quantity
), beyond AS (
    SELECT w.variant_id FROM wanted w LEFT JOIN given g ON g.variant_id = w.variant_id
    GROUP BY w.variant_id, w.quantity HAVING coalesce(sum(g.back), 0) < w.quantity
), locked AS MATERIALIZED ({LOCKED}
), heated AS (
    SELECT FROM locked WHERE is_hot AND NOT %(hot_too)s
), settled AS (
    UPDATE catalog_reservation r
    SET quantity = CASE WHEN g.back = g.held THEN r.quantity ELSE g.held - g.back END,
        state = CASE WHEN g.back = g.held THEN 'released' ELSE r.state END,
        allocated_at = CASE WHEN g.back = g.held THEN NULL ELSE r.allocated_at END
    FROM given g JOIN locked k ON k.id = g.stock_id
    WHERE r.id = g.id AND NOT EXISTS (SELECT FROM beyond) AND NOT EXISTS (SELECT FROM heated)
    RETURNING r.stock_id,
        CASE g.state WHEN 'active' THEN -g.back ELSE 0 END AS reserved,
        CASE g.state WHEN 'allocated' THEN -g.back ELSE 0 END AS allocated
), moved AS (
    UPDATE catalog_stock s
    SET reserved = s.reserved + d.reserved, allocated = s.allocated + d.allocated
    FROM settled d WHERE s.id = d.stock_id
    RETURNING s.id, -d.reserved - d.allocated AS freed, 0 AS raised
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, allocated_delta, order_id, reason)
    SELECT stock_id, 'release', 0, reserved, allocated, %(order)s, %(reason)s FROM settled
), crossed AS ({CROSSED})
SELECT EXISTS (SELECT FROM heated), ARRAY(SELECT variant_id FROM beyond), {TOLD}
"""


class NotHeld(Conflict):
    """More would be given back than the order holds."""

    code = "not_held"


@transaction.atomic
def give_up(*, order_id: UUID, quantities: Quantities, reason: str) -> None:
    """Give back so many of what an order holds, by variant id: all of it or nothing.

    Raises NotAQuantity; NotHeld with the SKUs of which the order holds less.
    """
    wanted = summed(quantities)
    if not wanted:
        return
    parameters = {"order": order_id, "reason": reason[:200], "low": low(), **columns(wanted)}
    with connection.cursor() as cursor:
        cursor.execute(GIVE_UP, {**parameters, "hot_too": False})
        hot, beyond, told = cursor.fetchone()
        if hot and not beyond:
            cursor.execute(GIVE_UP, {**parameters, "hot_too": True})
            _, beyond, told = cursor.fetchone()
    if beyond:
        raise NotHeld("The order does not hold so many.", skus=skus_of(beyond))
    tell(told)
