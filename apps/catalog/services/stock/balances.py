"""What all statements that change stock have in common: the locks, and the bands they cross.

Each locks all balances of its variants, in the order of variants and locations. So no two can
deadlock, and whoever holds the locks knows how available the variants were and will be.
"""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.conf import settings

from apps.kernel.events import Event, publish_all

# Of the variants in `wanted`. Read after the lock is held, so these are the latest numbers, not
# the snapshot's.
LOCKED = """
    SELECT s.id, s.variant_id, s.location_id, s.on_hand, s.reserved, s.allocated,
        s.backorder_limit, s.is_hot, s.on_hand - s.reserved - s.allocated AS free,
        CASE s.policy WHEN 'deny' THEN 0 ELSE s.backorder_limit END AS ceiling,
        l.is_active, l.priority, l.code
    FROM catalog_stock s JOIN catalog_stocklocation l ON l.id = s.location_id
    WHERE s.variant_id IN (SELECT variant_id FROM wanted)
    ORDER BY s.variant_id, s.location_id
    FOR NO KEY UPDATE OF s
"""

# In which band the balances of a variant are together.
BAND = """
    CASE WHEN sum(greatest({free}, 0)) > %(low)s THEN 'in_stock'
        WHEN sum(greatest({free}, 0)) > 0 THEN 'low_stock'
        WHEN sum(CASE WHEN {ceiling} > 0 THEN {ceiling} + least({free}, 0) ELSE 0 END) > 0
            THEN 'preorder'
        ELSE 'out_of_stock' END
"""

# `moved` tells by how many pieces, and by which ceiling, a locked balance has become freer.
CROSSED = f"""
    SELECT b.variant_id, {BAND.format(free="b.free", ceiling="b.ceiling")} AS before,
        {BAND.format(free="(b.free + b.freed)", ceiling="(b.ceiling + b.raised)")} AS after
    FROM (
        SELECT l.variant_id, l.free, l.ceiling, coalesce(m.freed, 0) AS freed,
            coalesce(m.raised, 0) AS raised
        FROM locked l LEFT JOIN moved m ON m.id = l.id WHERE l.is_active
    ) b
    GROUP BY b.variant_id
"""

TOLD = """
    (SELECT json_agg(json_build_array(c.variant_id, v.product_id, v.sku, c.after))
    FROM crossed c JOIN catalog_variant v ON v.id = c.variant_id WHERE c.before <> c.after)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityChanged(Event):
    """A variant is in another band than it was."""

    name: ClassVar[str] = "catalog.availability_changed"
    product_id: UUID
    variant_id: UUID
    sku: str
    band: str


def low() -> int:
    """Return up to how many pieces count as few: the parameter `low` of the bands."""
    threshold: int = settings.LOW_STOCK_THRESHOLD
    return threshold


def tell(told: Iterable[tuple[str, str, str, str]] | None) -> None:
    """Publish the crossings that a statement has returned, if there are any."""
    changed = [
        AvailabilityChanged(
            variant_id=UUID(variant_id), product_id=UUID(product_id), sku=sku, band=band
        )
        for variant_id, product_id, sku, band in told or ()
    ]
    publish_all({event.variant_id: event for event in changed})
