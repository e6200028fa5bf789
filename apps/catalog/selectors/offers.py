"""What other apps ask: what can be bought now, and whether the stock ledger adds up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.models import picture_url
from apps.catalog.states import AVAILABLE, AVAILABLE_ON, ORDERABLE, band_of
from apps.kernel.money import Money

OFFERS = f"""
SELECT v.id, v.product_id, v.sku, concat_ws(', ', p.name, nullif(v.name, '')),
    v.price_minor, v.currency, v.weight_grams,
    {ORDERABLE}, {AVAILABLE}, {AVAILABLE_ON},
    (SELECT i.file FROM catalog_image i
        WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1)
FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
WHERE v.id = ANY(%s::uuid[]) AND v.is_active AND p.status = 'published'
"""  # noqa: S608 - made of constants

OFFERS_BY_SKU = OFFERS.replace("SELECT v.id", "SELECT given.sku, v.id", 1).replace(
    "WHERE v.id = ANY(%s::uuid[])",
    "JOIN unnest(%s::text[]) AS given(sku) ON upper(given.sku) = upper(v.sku) WHERE true",
)

# Of a hot balance, what lies in the pool counts as reserved, but nobody has reserved it.
DIFFERENCES = """
SELECT v.sku, l.code, s.on_hand, s.reserved - coalesce(u.units, 0), s.allocated,
    coalesce(m.on_hand, 0)::bigint, coalesce(m.reserved, 0)::bigint,
    coalesce(m.allocated, 0)::bigint,
    coalesce(r.reserved, 0)::bigint, coalesce(r.allocated, 0)::bigint
FROM catalog_stock s
JOIN catalog_variant v ON v.id = s.variant_id
JOIN catalog_stocklocation l ON l.id = s.location_id
LEFT JOIN (
    SELECT stock_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved,
        sum(allocated_delta) AS allocated
    FROM catalog_stockmovement GROUP BY stock_id
) m ON m.stock_id = s.id
LEFT JOIN (
    SELECT stock_id, sum(quantity) FILTER (WHERE state = 'active') AS reserved,
        sum(quantity) FILTER (WHERE state = 'allocated') AS allocated
    FROM catalog_reservation WHERE state IN ('active', 'allocated') GROUP BY stock_id
) r ON r.stock_id = s.id
LEFT JOIN (
    SELECT stock_id, count(*) AS units FROM catalog_stockunit GROUP BY stock_id
) u ON u.stock_id = s.id
WHERE (s.on_hand, s.reserved - coalesce(u.units, 0), s.allocated)
        IS DISTINCT FROM (coalesce(m.on_hand, 0), coalesce(m.reserved, 0), coalesce(m.allocated, 0))
    OR (coalesce(m.reserved, 0), coalesce(m.allocated, 0))
        IS DISTINCT FROM (coalesce(r.reserved, 0), coalesce(r.allocated, 0))
ORDER BY v.sku, l.code
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant as it is sold right now.

    `available` pieces can be ordered, those ordered ahead included; these can be sent from
    `available_on` on, if that is known.
    """

    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    price: Money
    weight_grams: int
    available: int
    availability: str
    available_on: date | None
    image_url: str


@dataclass(frozen=True, slots=True)
class StockDifference:
    """A balance that its ledger, or the orders' reservations, do not explain."""

    sku: str
    location: str
    on_hand: int
    reserved: int
    allocated: int
    ledger_on_hand: int
    ledger_reserved: int
    ledger_allocated: int
    reserved_by_orders: int
    allocated_to_orders: int


def offers(*, variant_ids: Iterable[UUID]) -> dict[UUID, Offer]:
    """Return what can be bought now, by variant id; the rest is left out. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(OFFERS, [list(variant_ids)])
        return {row[0]: _offer(row) for row in cursor.fetchall()}


def offers_by_sku(*, skus: Iterable[str]) -> dict[str, Offer]:
    """Return what can be bought now, by SKU as the caller writes it. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(OFFERS_BY_SKU, [[sku for sku in set(skus) if "\0" not in sku]])
        return {given: _offer(row) for given, *row in cursor.fetchall()}


def stock_differences() -> list[StockDifference]:
    """Return the balances that their ledger or the reservations contradict. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        return [StockDifference(*row) for row in cursor.fetchall()]


def _offer(row: Any) -> Offer:
    variant_id, product_id, sku, name, minor, currency, weight_grams, *stock, file = row
    orderable, available, available_on = stock
    return Offer(
        variant_id=variant_id,
        product_id=product_id,
        sku=sku,
        name=name,
        price=Money(minor, currency),
        weight_grams=weight_grams,
        available=orderable,
        availability=band_of(available),
        available_on=available_on if available == 0 else None,
        image_url=picture_url(file) if file else "",
    )
