"""Baskets to price: the dullest that there are, and random ones of every kind."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.orders.pricing import (
    AmountOff,
    AmountOffEach,
    Basket,
    BuyXGetY,
    Coupon,
    Customer,
    FreeShipping,
    Line,
    Measure,
    Percentage,
    Promotion,
    Quote,
    Rate,
    Rounding,
    RoundingMode,
    Selection,
    Shipping,
    Taxes,
    TaxRounding,
    Tier,
    Tiers,
    Trial,
)

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
VAT = Rate("vat", 190_000)
REDUCED = Rate("vat", 70_000)
STATE, CITY = Rate("state", 62_500), Rate("city", 8_875)
CURRENCIES = ["USD", "EUR", "JPY", "KWD"]


def number(value: int) -> UUID:
    """Return an id that is easy to read."""
    return UUID(int=value)


def line(variant: int, price: int, quantity: int = 1, **facts: Any) -> Line:
    """Return a line of a variant, which is its own product."""
    facts = {"sku": f"SKU-{variant}", "product_id": number(variant), **facts}
    return Line(variant_id=number(variant), quantity=quantity, list_price=price, **facts)


def promotion(key: int, benefit: Any, **facts: Any) -> Promotion:
    """Return a promotion in euros for everything and everybody."""
    return Promotion(id=number(key), benefit=benefit, **{"currency": "EUR", **facts})


def basket(*lines: Line, **facts: Any) -> Basket:
    """Return an untaxed basket in euros."""
    return Basket(**{"currency": "EUR", "at": NOON, "lines": lines, **facts})


def trial_of(quote: Quote, key: Any) -> Trial:
    """Return the one trial of a rule, named by its key or as its promotion's number."""
    key = str(number(key)) if isinstance(key, int) else key
    [found] = [trial for trial in quote.explanation if trial.key == key]
    return found


def random_basket(seed: int) -> Basket:
    """Return a basket in which everything that can be said is said now and then.

    It has up to eight lines and six promotions.
    """
    details, size = divmod(seed, 63)
    promotions, lines = divmod(size, 9)
    chance = random.Random(details)
    currency = chance.choice(CURRENCIES)
    rules = tuple(_promotion(chance, key, currency) for key in range(promotions))
    return Basket(
        currency=currency,
        at=NOON,
        lines=tuple(_line(chance, variant) for variant in range(lines)),
        promotions=rules,
        coupons=_coupons(chance, rules),
        customer=_customer(chance, rules),
        shipping=chance.choice(
            [None, Shipping(0), Shipping(chance.randint(1, 2000), chance.choice(TAX_CLASSES))]
        ),
        taxes=_taxes(chance),
        rounding=chance.choice(
            [None, Rounding(chance.choice(list(RoundingMode)), chance.choice(list(TaxRounding)))]
        ),
    )


def shuffled(subject: Basket, seed: int) -> Basket:
    """Return the same basket with everything in it in another order."""
    chance = random.Random(seed)

    def mixed(some: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(some, len(some)))

    return replace(
        subject,
        lines=mixed(subject.lines),
        promotions=mixed(subject.promotions),
        coupons=mixed(subject.coupons),
    )


TAX_CLASSES = ["standard", "reduced", "none"]
FEW = [number(key) for key in range(4)]
TAGS = ["new", "heavy", "gift"]


def _line(chance: random.Random, variant: int) -> Line:
    price = chance.choice([0, 1, 3, chance.randint(1, 99), chance.randint(100, 99_999), 10**9])
    listed = chance.choice([None, None, chance.randint(0, price + 1)])
    return Line(
        variant_id=number(variant + 1),
        sku=f"SKU-{variant}",
        product_id=number(variant // 2),
        quantity=chance.choice([1, 2, 3, chance.randint(1, 999)]),
        list_price=price,
        price_list="" if listed is None else chance.choice(["b2b", "sale"]),
        price_list_price=listed,
        category_ids=frozenset(chance.sample(FEW, chance.randint(0, 3))),
        brand_id=chance.choice([None, *FEW[:2]]),
        tags=frozenset(chance.sample(TAGS, chance.randint(0, 2))),
        tax_class=chance.choice(TAX_CLASSES),
        requires_shipping=chance.random() < 0.8,
    )


def _selection(chance: random.Random) -> Selection:
    return chance.choice(
        [
            *[Selection()] * 4,
            Selection(category_ids=frozenset(chance.sample(FEW, 2))),
            Selection(brand_ids=frozenset(chance.sample(FEW, 1))),
            Selection(product_ids=frozenset(chance.sample(FEW, 3))),
            Selection(category_ids=frozenset(FEW[:3]), tags=frozenset(chance.sample(TAGS, 2))),
        ]
    )


def _benefit(chance: random.Random) -> Any:
    amount = chance.choice([1, chance.randint(1, 500), chance.randint(1, 99_999)])
    share = chance.choice([1, 333, 1000, chance.randint(1, 10_000), 10_000])
    simple: list[Any] = [Percentage(share), AmountOff(amount), AmountOffEach(amount)]
    return chance.choice(
        [
            *simple,
            FreeShipping(),
            BuyXGetY(
                buy=chance.randint(1, 3),
                get=chance.randint(1, 2),
                basis_points=share,
                gets=chance.choice([None, _selection(chance)]),
                most_times=chance.choice([None, 1, 2]),
            ),
            Tiers(
                chance.choice(list(Measure)),
                (Tier(2, chance.choice(simple)), Tier(1_000, chance.choice(simple))),
            ),
        ]
    )


def _promotion(chance: random.Random, key: int, currency: str) -> Promotion:
    def rarely(value: Any, otherwise: Any = None) -> Any:
        return value if chance.random() < 0.03 else otherwise

    return Promotion(
        id=number(1000 + key),
        benefit=_benefit(chance),
        needs_code=chance.random() < 0.25,
        priority=chance.choice([0, 0, 0, 1, -1]),
        exclusive=chance.random() < 0.15,
        stacking_group=chance.choice(["", "", "", "a", "b"]),
        goods=_selection(chance),
        currency=rarely("CHF", currency),
        min_subtotal=rarely(chance.randint(1, 100_000), 0),
        min_quantity=rarely(chance.randint(1, 100), 0),
        customer_group_ids=rarely(frozenset(FEW[:1]), frozenset()),
        first_order_only=rarely(True, False),  # noqa: FBT003 - two values to choose from
        starts_at=rarely(NOON + timedelta(days=chance.choice([-1, 0, 1]))),
        ends_at=rarely(NOON + timedelta(days=chance.choice([-1, 0, 1]))),
        max_discount=rarely(chance.randint(0, 1000)),
        budget_left=rarely(chance.randint(-1, 1000)),
        uses_left=rarely(chance.randint(-1, 2)),
        uses_per_customer=rarely(chance.randint(0, 2)),
    )


def _coupons(chance: random.Random, rules: tuple[Promotion, ...]) -> tuple[Coupon, ...]:
    promotions = [
        None,
        *(rule.id for rule in rules),
        *[rule.id for rule in rules if rule.needs_code] * 4,
    ]
    return tuple(
        Coupon(
            f"CODE-{key}",
            chance.choice(promotions),
            uses_left=chance.choice([None, 1, 1, 0]),
            uses_per_customer=chance.choice([None, None, None, 1]),
        )
        for key in range(chance.randint(0, len(rules)))
    )


def _customer(chance: random.Random, rules: tuple[Promotion, ...]) -> Customer | None:
    if chance.random() < 0.3:
        return None
    return Customer(
        group_id=chance.choice([None, *FEW[:2]]),
        first_order=chance.random() < 0.5,
        uses={rule.id: chance.randint(0, 2) for rule in rules},
        code_uses={"CODE-0": chance.randint(0, 1)},
    )


def _taxes(chance: random.Random) -> Taxes:
    rates: Any = chance.choice(
        [
            {},
            {"standard": (VAT,), "reduced": (REDUCED,)},
            {"standard": (STATE, CITY), "reduced": (STATE,)},
            {"standard": (VAT, STATE, CITY), "reduced": (REDUCED,), "none": (Rate("zero", 0),)},
        ]
    )
    return Taxes(
        zone="DE",
        rates=rates,
        included=chance.random() < 0.5,
        shipping_taxed=chance.random() < 0.8,
        default_class=chance.choice(["", "standard"]),
        shipping_class=chance.choice(TAX_CLASSES),
    )
