"""What is sold of what does not lie there: backorders and preorders."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from datetime import date
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.models import Stock
from apps.catalog.services.stock import pools
from apps.catalog.services.stock.balances import CROSSED, LOCKED, TOLD, low, tell
from apps.catalog.services.stock.goods import UnknownVariant, open_balances
from apps.catalog.services.stock.quantities import LARGEST_QUANTITY, skus_of
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid

# Who sells no more ahead still owes what was sold: the limit then is what is owed.
SET_POLICY = f"""
WITH wanted AS (
    SELECT %(variant)s::uuid AS variant_id
), locked AS MATERIALIZED ({LOCKED}
), chosen AS (
    SELECT l.id, l.ceiling, greatest(-l.free, 0) AS owed,
        CASE %(policy)s WHEN 'deny' THEN 0 ELSE %(limit)s END AS wished
    FROM locked l WHERE l.code = 'main'
), moved AS (
    UPDATE catalog_stock s
    SET policy = %(policy)s, available_on = %(available_on)s,
        backorder_limit = CASE %(policy)s WHEN 'deny' THEN c.owed ELSE c.wished END
    FROM chosen c WHERE s.id = c.id AND (%(policy)s = 'deny' OR c.owed <= c.wished)
    RETURNING s.id, 0 AS freed, c.wished - c.ceiling AS raised
), crossed AS ({CROSSED})
SELECT (SELECT count(*) FROM chosen), (SELECT count(*) FROM moved), {TOLD}
"""


class IncompletePolicy(Invalid):
    """Selling ahead needs a limit, a preorder also a day; selling what is there takes neither."""

    code = "incomplete_policy"


class LimitBelowOrders(Conflict):
    """Orders wait for more already than the limit would allow."""

    code = "limit_below_orders"


@transaction.atomic
def set_policy(
    *,
    variant_id: UUID,
    policy: str,
    limit: int = 0,
    available_on: date | None = None,
    is_hot: bool | None = None,
) -> None:
    """Say how much of a variant may be ordered beyond what lies there, and from when it is sent.

    Also whether very many buy it at once, as `set_hot` does; None leaves that as it is.

    Raises IncompletePolicy, UnknownVariant, LimitBelowOrders.
    """
    ahead = policy != Stock.Policy.DENY
    if (
        policy not in Stock.Policy.values
        or not (1 <= limit <= LARGEST_QUANTITY if ahead else limit == 0)
        or (policy == Stock.Policy.PREORDER and available_on is None)
        or (available_on is not None and not ahead)
    ):
        raise IncompletePolicy("Selling ahead needs a limit, a preorder also a day.")
    if open_balances({variant_id: 0}, [None]):
        pools.lock([variant_id])
    with connection.cursor() as cursor:
        cursor.execute(
            SET_POLICY,
            {
                "variant": variant_id,
                "policy": policy,
                "limit": limit,
                "available_on": available_on,
                "low": low(),
            },
        )
        found, changed, told = cursor.fetchone()
    if not found:
        raise UnknownVariant("There is no such variant.")
    if not changed:
        raise LimitBelowOrders("Orders wait for more already.", skus=skus_of([variant_id]))
    tell(told)
    record(
        "catalog.stock_policy_set",
        about=variant_id,
        after={"policy": policy, "limit": limit, "available_on": available_on},
    )
    if is_hot is not None:
        pools.set_hot(variant_id=variant_id, is_hot=is_hot)
