"""What pricing a large basket costs: one process, no server, processor time."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from time import process_time
from timeit import Timer
from uuid import UUID

from apps.orders import pricing
from apps.orders.pricing import Basket, Line, Percentage, Promotion, Rate, Selection, Taxes
from benchmarks.report import machine

LINES, PROMOTIONS = 100, 50
RUNS, TIMES = 41, 5


def pricing_report() -> str:
    """Return what a quote of each basket costs, as a table."""
    baskets = {
        "no promotion": basket([]),
        f"{PROMOTIONS} promotions of all kinds": basket(mixed_promotions()),
        f"{PROMOTIONS} that each take something off every line": basket(everything_cheaper()),
    }
    rows = [f"| {name} | {milliseconds(each):.2f} |" for name, each in baskets.items()]
    return "\n".join([machine(), "", f"| {LINES} lines | CPU ms |", "| --- | --: |", *rows])


def milliseconds(subject: Basket) -> float:
    """Return the processor time of one quote: the median of the runs."""
    runs = Timer(lambda: pricing.quote(subject), timer=process_time).repeat(RUNS, TIMES)
    return median(runs) / TIMES * 1000


def basket(promotions: Sequence[Promotion]) -> Basket:
    """Return a basket of many lines, each with a category of ten, a brand of five and a tag."""
    chance = random.Random(6)
    lines = [
        Line(
            variant_id=UUID(int=chance.getrandbits(128)),
            sku=f"SKU-{number}",
            product_id=UUID(int=1000 + number),
            quantity=chance.randint(1, 9),
            list_price=chance.randint(99, 19_999),
            category_ids=frozenset({UUID(int=number % 10), UUID(int=99)}),
            brand_id=UUID(int=100 + number % 5),
            tags=frozenset({f"tag-{number % 4}"}),
            tax_class="reduced" if number % 3 else "standard",
        )
        for number in range(LINES)
    ]
    vat, reduced = Rate("vat", 190_000), Rate("vat", 70_000)
    return Basket(
        currency="EUR",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        lines=tuple(lines),
        promotions=tuple(promotions),
        coupons=tuple(pricing.Coupon(f"CODE-{p.id.int}", p.id) for p in promotions if p.needs_code),
        customer=pricing.Customer(),
        shipping=pricing.Shipping(499),
        taxes=Taxes(rates={"standard": (vat,), "reduced": (reduced,)}),
    )


def mixed_promotions() -> list[Promotion]:
    """Return promotions of every kind, most of them for some of the goods, in all ways to stack."""
    benefits: list[pricing.promotions.Benefit] = [
        Percentage(500),
        pricing.AmountOff(700),
        pricing.AmountOffEach(20),
        pricing.BuyXGetY(buy=2, get=1),
        pricing.BuyXGetY(
            buy=3, get=1, basis_points=5000, gets=Selection(brand_ids=frozenset({UUID(int=101)}))
        ),
        pricing.Tiers(
            pricing.Measure.SUBTOTAL,
            (pricing.Tier(1_000, Percentage(100)), pricing.Tier(10_000, Percentage(300))),
        ),
        Percentage(300),
        pricing.FreeShipping(),
    ]
    goods = [
        Selection(),
        *(Selection(category_ids=frozenset({UUID(int=n), UUID(int=n + 1)})) for n in range(3)),
        Selection(brand_ids=frozenset({UUID(int=100), UUID(int=101)})),
        Selection(tags=frozenset({"tag-1"})),
        Selection(product_ids=frozenset(UUID(int=1000 + n) for n in range(40))),
    ]
    return [
        Promotion(
            id=UUID(int=5000 + number),
            benefit=benefits[number % len(benefits)],
            goods=goods[number % len(goods)],
            currency="EUR",
            priority=number % 5,
            exclusive=number % 25 == 24,
            stacking_group=f"group-{number % 3}" if number % 10 == 9 else "",
            needs_code=number % 12 == 11,
            min_subtotal=1_000 if number % 2 else 0,
            max_discount=5_000 if number % 4 == 0 else None,
        )
        for number in range(PROMOTIONS)
    ]


def everything_cheaper() -> list[Promotion]:
    """Return promotions that each take a little off everything, one after the other."""
    return [
        Promotion(id=UUID(int=5000 + number), benefit=Percentage(100), priority=number)
        for number in range(PROMOTIONS)
    ]
