"""20,000 real baskets, priced by the kernel with the retailer's own discounts as promotions.

A line of the data says what the store got for it (`sales_value`), what the card took off the shelf
price (`retail_disc`), what the store added to a coupon (`coupon_match_disc`), and what the
manufacturer's coupon paid (`coupon_disc`), which the shopper did not. So the shelf price is the sum
of the first three, and the shopper paid `sales_value` without `coupon_disc`.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from apps.orders.management.complete_journey.source import DataMissing, find_source
from apps.orders.pricing import (
    AmountOff,
    Basket,
    Coupon,
    Line,
    Promotion,
    Selection,
    Totals,
    quote,
)
from apps.orders.tests.baskets import NOON, number

BASKETS = 20_000
SEED = 2017
MOST_PIECES = 999  # of one thing in a cart
COLUMNS = ("quantity", "sales_value", "retail_disc", "coupon_match_disc", "coupon_disc")
KINDS = COLUMNS[2:]  # in the order in which they come off


@dataclass(slots=True)
class Bought:
    """A product of a basket: pieces, and cents by column."""

    quantity: int = 0
    cents: Counter[str] = field(default_factory=Counter)

    @property
    def shelf(self) -> int:
        return sum(self.cents[name] for name in COLUMNS[1:4])

    @property
    def paid(self) -> int:
        return self.cents["sales_value"] - self.cents["coupon_disc"]

    @property
    def off(self) -> int:
        return sum(self.cents[kind] for kind in KINDS)


@dataclass(slots=True)
class Told:
    """What became of the baskets, rule by rule: how many lines, and how many cents."""

    equal: int = 0
    lines: Counter[str] = field(default_factory=Counter)
    cents: Counter[str] = field(default_factory=Counter)
    baskets: Counter[str] = field(default_factory=Counter)


def real_baskets() -> Iterator[dict[int, Bought]]:
    """Yield the baskets of a seeded choice: what was bought, by product."""
    try:
        source = find_source(None)
    except DataMissing as reason:
        pytest.skip(str(reason))
    from pyarrow import compute, parquet

    table = parquet.read_table(source.transactions, columns=["basket_id", "product_id", *COLUMNS])
    every = sorted(compute.unique(table["basket_id"]).to_pylist())
    chosen = random.Random(SEED).sample(every, BASKETS)
    import pyarrow

    mine = table.filter(compute.is_in(table["basket_id"], value_set=pyarrow.array(chosen)))
    found: dict[int, dict[int, Bought]] = {}
    for row in zip(*(mine[name].to_pylist() for name in mine.column_names), strict=True):
        basket, product, quantity, *dollars = row
        bought = found.setdefault(basket, {}).setdefault(product, Bought())
        bought.quantity += quantity
        for name, amount in zip(COLUMNS[1:], dollars, strict=True):
            bought.cents[name] += round(amount * 100)
    yield from found.values()


def as_sold(product: int, bought: Bought) -> tuple[Line | None, str]:
    """Return the line that the store would sell, and the rule that made it another one."""
    if not bought.quantity and not bought.shelf:
        return None, "nothing bought"
    quantity, rule = bought.quantity, ""
    if not quantity:
        quantity, rule = 1, "no quantity"
    elif quantity > MOST_PIECES:
        quantity, rule = 1, "by volume"
    elif bought.shelf % quantity:
        rule = "fraction of a cent"
    price = (2 * bought.shelf + quantity) // (2 * quantity)
    line = Line(
        variant_id=number(product),
        sku=str(product),
        product_id=number(product),
        quantity=quantity,
        list_price=price,
    )
    return line, rule


def discounts(product: int, bought: Bought) -> Iterator[tuple[Promotion, Coupon | None]]:
    """Yield a promotion for each discount of a product, with its code if it is a coupon's."""
    for place, kind in enumerate(KINDS):
        if amount := bought.cents[kind]:
            promotion = Promotion(
                id=number(product * 10 + place),
                benefit=AmountOff(amount),
                goods=Selection(product_ids=frozenset({number(product)})),
                currency="USD",
                needs_code=kind != "retail_disc",
                priority=-place,
            )
            code = f"{kind}-{product}" if promotion.needs_code else ""
            yield promotion, Coupon(code, promotion.id) if code else None


def without_goods(basket: dict[int, Bought]) -> Iterator[tuple[int, Promotion, Coupon]]:
    """Yield the coupons for goods that the data does not name: off the whole basket, last."""
    for product, bought in basket.items():
        if not bought.quantity and not bought.shelf and bought.off:
            promotion = Promotion(
                id=number(product * 10 + len(KINDS)),
                benefit=AmountOff(bought.off),
                currency="USD",
                needs_code=True,
                priority=-len(KINDS),
            )
            yield bought.off, promotion, Coupon(f"basket-{product}", promotion.id)


def priced(basket: dict[int, Bought], told: Told) -> tuple[Totals, Counter[str]]:
    """Return what the kernel asks for a basket, and by rule what that is too much."""
    lines: list[Line] = []
    given: list[tuple[Promotion, Coupon | None]] = []
    explained = Counter[str]()
    left = 0
    for product, bought in basket.items():
        line, rule = as_sold(product, bought)
        if rule:
            told.lines[rule] += 1
            explained[rule] += 0
        if line is None:
            continue
        lines.append(line)
        given += discounts(product, bought)
        shelf = line.list_price * line.quantity
        if shelf != bought.shelf:
            explained[rule] += shelf - bought.shelf
        if bought.off > shelf:
            told.lines["more off than it costs"] += 1
            explained["more off than it costs"] += bought.off - shelf
        left += max(shelf - bought.off, 0)
    for amount, promotion, coupon in without_goods(basket):
        given.append((promotion, coupon))
        told.lines["coupon without goods"] += 1
        explained["coupon without goods"] += max(amount - left, 0)
        left = max(left - amount, 0)
    for rule, cents in explained.items():
        told.baskets[rule] += 1
        told.cents[rule] += abs(cents)
    asked = quote(
        Basket(
            currency="USD",
            at=NOON,
            lines=tuple(lines),
            promotions=tuple(promotion for promotion, _ in given),
            coupons=tuple(coupon for _, coupon in given if coupon),
        )
    )
    return asked.totals, explained


def table_of(told: Told) -> str:
    """Return what became of the baskets, as docs/promotions.md shows it."""
    rows = [("", "baskets", "lines", "cents apart"), ("to the cent", str(told.equal), "", "0")]
    rows += [
        (rule, str(told.baskets[rule]), str(told.lines[rule]), str(told.cents[rule]))
        for rule in sorted(told.lines)
    ]
    return "\n".join(f"{a:<24}{b:>8}{c:>8}{d:>13}" for a, b, c, d in rows)


EXPECTED = """\
                         baskets   lines  cents apart
to the cent                18353                    0
by volume                   1708    1708            0
coupon without goods         356     356          129
fraction of a cent          1665    2112         2454
more off than it costs        51      68         3163
no quantity                    3       3            0
nothing bought               944    1097            0
"""


def test_20000_real_baskets_cost_what_was_paid_or_a_rule_says_why_not() -> None:
    told = Told()
    for basket in real_baskets():
        totals, explained = priced(basket, told)
        paid = sum(bought.paid for bought in basket.values())

        asked = totals.grand_total.minor
        assert asked - sum(explained.values()) == paid
        if not explained:
            assert totals.items.minor == sum(bought.shelf for bought in basket.values())
            assert totals.discount.minor == sum(bought.off for bought in basket.values())
        told.equal += asked == paid

    sys.stdout.write(f"\n{table_of(told)}\n")
    assert table_of(told) == EXPECTED.rstrip()
