"""Several changes of stock in one transaction: all that they touch is locked first."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from apps.catalog.services.stock.balances import LOCKED

# In the order of all statements: what the order holds, then the balances.
LOCK = f"""
WITH held AS MATERIALIZED (
    SELECT stock_id FROM catalog_reservation
    WHERE order_id = %(order)s AND state <> 'released'
    ORDER BY id
    FOR UPDATE
), wanted AS (
    SELECT s.variant_id FROM catalog_stock s JOIN held ON held.stock_id = s.id
    UNION
    SELECT unnest(%(variants)s::uuid[])
), locked AS MATERIALIZED ({LOCKED})
SELECT count(*) FROM locked
"""


def take_turn(*, order_id: UUID, variant_ids: Iterable[UUID]) -> None:
    """Lock what an order holds, and all balances of that and of these variants.

    Whoever changes stock twice in a transaction calls it before: then nobody waits in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK, {"order": order_id, "variants": list(variant_ids)})
