"""Four baskets, each in a currency of its own, and every amount of them as it was agreed."""

import json
import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from apps.kernel.money import Money
from apps.orders.pricing import (
    AmountOff,
    AmountOffEach,
    Basket,
    BuyXGetY,
    Coupon,
    Customer,
    FreeShipping,
    Measure,
    Parts,
    Percentage,
    Rate,
    Rounding,
    RoundingMode,
    Selection,
    Shipping,
    Sold,
    Taxes,
    TaxRounding,
    Tier,
    Tiers,
    quote,
    refund,
)
from apps.orders.tests.baskets import CITY, REDUCED, STATE, VAT, basket, line, number, promotion

GOLDEN = Path(__file__).with_name("golden")


def yen() -> Basket:
    """Food at 8 %, the rest at 10 %, both in the prices; a third piece and the parcel free."""
    food = frozenset({number(50)})
    return basket(
        line(1, 198, 3, tax_class="food", category_ids=food),
        line(2, 1080, tax_class="food", category_ids=food),
        line(3, 3333, 2),
        currency="JPY",
        promotions=(
            promotion(
                101, BuyXGetY(buy=2, get=1), goods=Selection(category_ids=food), currency="JPY"
            ),
            promotion(102, Percentage(1500), needs_code=True, currency=None),
            promotion(103, FreeShipping(), min_subtotal=5000, currency="JPY"),
        ),
        coupons=(Coupon("NATSU", number(102)), Coupon("FUYU", None)),
        shipping=Shipping(770),
        taxes=Taxes(
            zone="JP",
            rates={"standard": (Rate("ct", 100_000),), "food": (Rate("ct", 80_000),)},
            included=True,
        ),
    )


def euros() -> Basket:
    """Prices with tax and of a list; an amount off that is shared, one that cannot stand beside."""
    return basket(
        line(1, 1999, 3, price_list="b2b", price_list_price=1799),
        line(2, 1250, 2, tax_class="book"),
        line(3, 5),
        promotions=(
            promotion(101, Percentage(1000), goods=Selection(product_ids=frozenset({number(1)}))),
            promotion(102, AmountOff(1000), needs_code=True),
            promotion(103, Percentage(500), exclusive=True),
        ),
        coupons=(Coupon("DANKE", number(102), uses_left=1),),
        shipping=Shipping(499),
        taxes=Taxes(zone="DE", rates={"standard": (VAT,), "book": (REDUCED,)}, included=True),
    )


def dollars() -> Basket:
    """Two taxes on top, rounded for each line; tiers, and two of one stacking group."""
    return basket(
        line(1, 1099, 7),
        line(2, 333, 3, tax_class="grocery"),
        line(3, 24_995),
        currency="USD",
        promotions=(
            promotion(
                101,
                Tiers(
                    Measure.SUBTOTAL, (Tier(10_000, Percentage(500)), Tier(30_000, Percentage(750)))
                ),
                currency="USD",
                max_discount=2000,
            ),
            promotion(102, AmountOff(1500), stacking_group="season", currency="USD"),
            promotion(103, Percentage(300), stacking_group="season", currency="USD"),
        ),
        shipping=Shipping(795),
        taxes=Taxes(zone="US-NY", rates={"standard": (STATE, CITY), "grocery": (CITY,)}),
    )


def dinars() -> Basket:
    """Three digits, half a fils to the even one; so much off each piece for a group."""
    return basket(
        line(1, 12_345, 3),
        line(2, 995),
        line(3, 1, 2),
        currency="KWD",
        customer=Customer(group_id=number(60), uses={number(101): 1}),
        promotions=(
            promotion(
                101,
                AmountOffEach(125),
                customer_group_ids=frozenset({number(60)}),
                uses_per_customer=2,
                currency="KWD",
            ),
            promotion(102, Percentage(1250), first_order_only=True, currency=None),
            promotion(103, Percentage(333), currency=None, priority=-1),
        ),
        shipping=Shipping(2500),
        taxes=Taxes(zone="KW", rates={"standard": (Rate("vat", 50_000),)}, shipping_taxed=False),
        rounding=Rounding(RoundingMode.HALF_EVEN, TaxRounding.LINE),
    )


def told(value: Any) -> Any:
    """Return what JSON can say of facts, quotes and refunds."""
    match value:
        case Money():
            return {"amount": value.amount, "currency": value.currency}
        case UUID():
            return str(value)
        case dict():
            return {str(key): told(each) for key, each in value.items()}
        case list() | tuple():
            return [told(each) for each in value]
        case _ if is_dataclass(value):
            return {field.name: told(getattr(value, field.name)) for field in fields(value)}
    return value


def document(subject: Basket) -> str:
    """Return what a basket costs and what comes back for the first piece, as JSON."""
    found = quote(subject)
    quoted = told(found)
    for each in quoted["lines"]:
        each["line"] = {name: each["line"][name] for name in ("sku", "quantity", "list_price")}
    first = refund(Sold.of(found), Parts({subject.lines[0].variant_id: 1}))
    return (
        json.dumps(
            {
                "grand_total": told(found.totals.grand_total),
                **quoted,
                "refund_of_one_piece_of_the_first_line": told(first),
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


@pytest.mark.parametrize(
    ("name", "subject"),
    [("jpy", yen()), ("eur", euros()), ("usd", dollars()), ("kwd", dinars())],
    ids=["JPY", "EUR", "USD", "KWD"],
)
def test_every_amount_is_as_it_was_agreed(name: str, subject: Basket) -> None:
    file = GOLDEN / f"{name}.json"
    now = document(subject)
    if "WRITE_GOLDEN" in os.environ:
        file.write_text(now)

    assert now == file.read_text(), (
        "Read what has changed, then run this test with the environment variable WRITE_GOLDEN=1."
    )
