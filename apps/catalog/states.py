"""How available a variant is: what the balances say of it, as SQL, and the bands it is told in."""

# ruff: noqa: S608 - the SQL is put together from constants

from django.conf import settings

# The pieces of a balance that nobody was promised; below 0 it is owed to orders. In a hot balance
# the units in its pool are free, too.
FREE = """(s.on_hand - s.reserved - s.allocated + CASE WHEN s.is_hot THEN (
    SELECT count(*) FROM catalog_stockunit u WHERE u.stock_id = s.id
) ELSE 0 END)"""

# How many more may be promised than lie there.
CEILING = "CASE s.policy WHEN 'deny' THEN 0 ELSE s.backorder_limit END"

_BALANCES = f"""
    FROM (
        SELECT {FREE} AS free, {CEILING} AS ceiling
        FROM catalog_stock s JOIN catalog_stocklocation l ON l.id = s.location_id
        WHERE s.variant_id = v.id AND l.is_active
    ) b
"""

# How available a variant `v` is, as a number: the pieces that can be sent at once; 0 when it can
# only be ordered ahead; -1 when it cannot be had.
AVAILABLE = f"""coalesce((
    SELECT CASE WHEN sum(greatest(b.free, 0)) > 0 THEN sum(greatest(b.free, 0))
        WHEN sum(CASE WHEN b.ceiling > 0 THEN b.ceiling + b.free ELSE 0 END) > 0 THEN 0
        ELSE -1 END {_BALANCES}
), -1)::bigint"""

# How many pieces of a variant `v` an order may take, those ordered ahead included.
ORDERABLE = f"""coalesce((
    SELECT sum(greatest(b.free, 0)
        + CASE WHEN b.ceiling > 0 THEN greatest(b.ceiling + least(b.free, 0), 0) ELSE 0 END)
    {_BALANCES}
), 0)::bigint"""

# From when on a variant `v` can be sent that has to be ordered ahead.
AVAILABLE_ON = """(
    SELECT min(s.available_on) FROM catalog_stock s
    JOIN catalog_stocklocation l ON l.id = s.location_id
    WHERE s.variant_id = v.id AND l.is_active AND s.policy <> 'deny'
)"""


def band_of(available: int) -> str:
    """Return how AVAILABLE is told to the public."""
    if available > settings.LOW_STOCK_THRESHOLD:
        return "in_stock"
    if available > 0:
        return "low_stock"
    return "preorder" if available == 0 else "out_of_stock"
