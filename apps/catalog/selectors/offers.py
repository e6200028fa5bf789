"""What other apps ask: what can be bought now, and whether the stock ledger adds up."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.models import picture_url
from apps.catalog.pricing import applicable
from apps.catalog.states import AVAILABLE, AVAILABLE_ON, ORDERABLE, band_of
from apps.kernel.money import Money
from apps.kernel.prepared import prepared

AT = "coalesce(%(at)s::timestamptz, statement_timestamp())"
CURRENCY = "coalesce(%(currency)s::text, v.currency)"

LONGEST_NAME = 300  # as orders keep it

# What one piece costs, and so many more, as far as a list has a price for that.
PRICES = f"""(
    SELECT json_agg(json_build_array(q.quantity, r.amount_minor, r.source) ORDER BY q.quantity)
    FROM (SELECT 1 AS quantity
        UNION SELECT min_quantity FROM catalog_price WHERE variant_id = v.id) q
    CROSS JOIN LATERAL ({
    applicable(at=AT, currency=CURRENCY, group="%(group)s::uuid", quantity="q.quantity")
}) r
)"""

OFFERS = f"""
SELECT v.id::uuid, v.product_id::uuid, v.sku::text,
    left(concat_ws(', ', p.name, nullif(v.name, '')), {LONGEST_NAME}),
    {PRICES}, {CURRENCY}::text, v.weight_grams::int,
    (CASE WHEN v.currency = {CURRENCY} THEN v.price_minor END)::bigint,
    coalesce(string_to_array(trim('/' from c.path), '/')::uuid[], ARRAY[]::uuid[]),
    p.brand_id::uuid,
    ARRAY(SELECT t.slug::text FROM catalog_product_tags o JOIN catalog_tag t ON t.id = o.tag_id
        WHERE o.product_id = p.id),
    p.tax_class::text, {ORDERABLE}, {AVAILABLE}, {AVAILABLE_ON}::date,
    (SELECT i.file::text FROM catalog_image i
        WHERE i.product_id = p.id ORDER BY i.position, i.id LIMIT 1)
FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
LEFT JOIN catalog_category c ON c.id = p.category_id
WHERE v.id = ANY(%(variants)s::uuid[]) AND v.is_active AND p.status = 'published'
"""

OFFERS_BY_SKU = OFFERS.replace("SELECT v.id", "SELECT given.sku, v.id", 1).replace(
    "WHERE v.id = ANY(%(variants)s::uuid[])",
    "JOIN unnest(%(skus)s::text[]) AS given(sku) ON upper(given.sku) = upper(v.sku) WHERE true",
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


TAX_CLASSES = """
SELECT tax_class, count(*) FROM catalog_product WHERE tax_class <> '' GROUP BY tax_class
ORDER BY tax_class
"""


@dataclass(frozen=True, slots=True)
class Tier:
    """What each piece costs from so many on, and why."""

    min_quantity: int
    price: Money
    source: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant as it is sold right now.

    `available` pieces can be ordered, those ordered ahead included; these can be sent from
    `available_on` on, if that is known.
    `price_source` says where the price of one piece comes from: "regular", "sale", or "list:" and
    the list's code. `tiers` are the other prices, from the smallest quantity up. `list_price` is
    what a piece costs without lists and sales; where it has no such price in that currency, what
    it costs now. `category_ids` names its category and all above it, `tags` are slugs. `tax_class`
    is the code of how it is taxed; empty: like most things.
    """

    variant_id: UUID
    product_id: UUID
    sku: str
    name: str
    price: Money
    list_price: Money
    weight_grams: int
    available: int
    availability: str
    available_on: date | None
    image_url: str
    price_source: str = "regular"
    tiers: tuple[Tier, ...] = ()
    category_ids: frozenset[UUID] = frozenset()
    brand_id: UUID | None = None
    tags: frozenset[str] = frozenset()
    tax_class: str = ""

    def tier_for(self, quantity: int) -> Tier:
        """Return what each of so many pieces costs, and why."""
        reached = [tier for tier in self.tiers if tier.min_quantity <= quantity]
        return reached[-1] if reached else Tier(1, self.price, self.price_source)

    def price_for(self, quantity: int) -> Money:
        """Return what each of so many pieces costs."""
        return self.tier_for(quantity).price


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


def offers(
    *,
    variant_ids: Iterable[UUID],
    currency: str | None = None,
    customer_group_id: UUID | None = None,
    at: datetime | None = None,
) -> dict[UUID, Offer]:
    """Return what can be bought now, by variant id; the rest is left out. One statement.

    In the store's currency unless another is named; what has no price in it cannot be bought. With
    the prices of a customer group, of this moment by the database's clock, or of another one.
    """
    asked = {"currency": currency, "group": customer_group_id, "at": at}
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(OFFERS, {"variants": list(variant_ids), **asked})
        return {row[0]: _offer(row) for row in cursor.fetchall() if _is_priced(row)}


def offers_by_sku(*, skus: Iterable[str]) -> dict[str, Offer]:
    """Return what everybody can buy now, by SKU as the caller writes it. One statement."""
    wanted = [sku for sku in set(skus) if "\0" not in sku]
    nobody = {"currency": None, "group": None, "at": None}
    with connection.cursor() as cursor:
        cursor.execute(OFFERS_BY_SKU, {"skus": wanted, **nobody})
        return {given: _offer(row) for given, *row in cursor.fetchall() if _is_priced(row)}


def tax_classes_in_use() -> dict[str, int]:
    """Return how many products, archived ones included, name each tax class. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(TAX_CLASSES)
        return dict(cursor.fetchall())


def stock_differences() -> list[StockDifference]:
    """Return the balances that their ledger or the reservations contradict. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        return [StockDifference(*row) for row in cursor.fetchall()]


def _is_priced(row: Any) -> bool:
    """Whether one piece has a price; a list may have one for many pieces alone."""
    prices = row[4]
    return bool(prices) and prices[0][0] == 1


def _offer(row: Any) -> Offer:
    variant_id, product_id, sku, name, prices, currency, weight_grams, *about, file = row
    regular, category_ids, brand_id, tags, tax_class, orderable, available, available_on = about
    (_, minor, source), *more = prices
    tiers: list[Tier] = []
    for quantity, amount, why in more:
        if amount != (tiers[-1].price.minor if tiers else minor):
            tiers.append(Tier(quantity, Money(amount, currency), why))
    return Offer(
        variant_id=variant_id,
        product_id=product_id,
        sku=sku,
        name=name,
        price=Money(minor, currency),
        list_price=Money(minor if regular is None or source == "regular" else regular, currency),
        weight_grams=weight_grams,
        available=orderable,
        availability=band_of(available),
        available_on=available_on if available == 0 else None,
        image_url=picture_url(file) if file else "",
        price_source=source,
        tiers=tuple(tiers),
        category_ids=frozenset(category_ids),
        brand_id=brand_id,
        tags=frozenset(tags),
        tax_class=tax_class,
    )
