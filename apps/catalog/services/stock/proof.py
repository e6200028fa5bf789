"""The balances again, from the ledger that explains them."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from django.db import connection, transaction

from apps.catalog.models import Variant
from apps.catalog.selectors.offers import StockDifference, stock_differences
from apps.catalog.services.stock import pools
from apps.catalog.services.stock.balances import CROSSED, LOCKED, TOLD, low, tell
from apps.kernel.audit import record

REPAIR = f"""
WITH wanted AS (
    SELECT unnest(%(variants)s::uuid[]) AS variant_id
), locked AS MATERIALIZED ({LOCKED}
), explained AS (
    SELECT l.id, l.free, coalesce(m.on_hand, 0) AS on_hand,
        coalesce(m.reserved, 0)
            + (SELECT count(*) FROM catalog_stockunit u WHERE u.stock_id = l.id) AS reserved,
        coalesce(m.allocated, 0) AS allocated
    FROM locked l LEFT JOIN (
        SELECT stock_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved,
            sum(allocated_delta) AS allocated
        FROM catalog_stockmovement WHERE stock_id IN (SELECT id FROM locked) GROUP BY stock_id
    ) m ON m.stock_id = l.id
), moved AS (
    UPDATE catalog_stock s
    SET on_hand = e.on_hand, reserved = e.reserved, allocated = e.allocated
    FROM explained e
    WHERE s.id = e.id
        AND (s.on_hand, s.reserved, s.allocated)
            IS DISTINCT FROM (e.on_hand, e.reserved, e.allocated)
    RETURNING s.id, e.on_hand - e.reserved - e.allocated - e.free AS freed, 0 AS raised
), crossed AS ({CROSSED})
SELECT (SELECT count(*) FROM moved), {TOLD}
"""


@transaction.atomic
def repair_balances() -> int:
    """Write what the ledger says into the balances that say something else. Returns how many.

    Reservations are left as they are: where the ledger contradicts them, people have to look.
    """
    wrong = [difference for difference in stock_differences() if _is_of_the_balance(difference)]
    skus = {difference.sku for difference in wrong}
    variants = dict(Variant.objects.filter(sku__in=skus).values_list("sku", "pk"))
    pools.lock(variants.values())
    with connection.cursor() as cursor:
        cursor.execute(REPAIR, {"variants": list(variants.values()), "low": low()})
        repaired, told = cursor.fetchone()
    tell(told)
    for difference in wrong:
        record(
            "catalog.stock_repaired",
            about=variants[difference.sku],
            before={
                "location": difference.location,
                "on_hand": difference.on_hand,
                "reserved": difference.reserved,
                "allocated": difference.allocated,
            },
            after={
                "location": difference.location,
                "on_hand": difference.ledger_on_hand,
                "reserved": difference.ledger_reserved,
                "allocated": difference.ledger_allocated,
            },
        )
    return int(repaired)


def _is_of_the_balance(found: StockDifference) -> bool:
    return (found.on_hand, found.reserved, found.allocated) != (
        found.ledger_on_hand,
        found.ledger_reserved,
        found.ledger_allocated,
    )
