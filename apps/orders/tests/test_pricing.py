"""Amounts, prices before promotions, and facts that are refused."""

from typing import Any

import pytest

from apps.kernel.money import LARGEST_MINOR, Money, NotAnAmount
from apps.orders.pricing import (
    AmountOff,
    AmountOffEach,
    BuyXGetY,
    Coupon,
    Measure,
    NotPriceable,
    Percentage,
    Rate,
    Rounding,
    RoundingMode,
    Shipping,
    TaxRounding,
    Tier,
    Tiers,
    quote,
)
from apps.orders.pricing.amounts import allocate, divide, rounding_of
from apps.orders.tests.baskets import basket, line, number, promotion

PER_LINE = Rounding(tax=TaxRounding.LINE)
PER_TOTAL = Rounding(tax=TaxRounding.TOTAL)


@pytest.mark.parametrize(
    ("numerator", "denominator", "half_up", "half_even"),
    [(1, 2, 1, 0), (3, 2, 2, 2), (5, 2, 3, 2), (7, 3, 2, 2), (8, 3, 3, 3), (4, 2, 2, 2)],
)
def test_a_half_goes_where_the_mode_says(
    numerator: int, denominator: int, half_up: int, half_even: int
) -> None:
    assert divide(numerator, denominator, RoundingMode.HALF_UP) == half_up
    assert divide(numerator, denominator, RoundingMode.HALF_EVEN) == half_even


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (100, [3, 3, 1], [43, 43, 14]),
        (5, [1, 2, 8], [0, 1, 4]),
        (1, [0, 5], [0, 1]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
    ],
)
def test_shares_add_up_and_the_largest_remainder_gets_more(
    total: int, weights: list[int], shares: list[int]
) -> None:
    assert allocate(total, weights) == shares


def test_dollars_round_tax_for_each_line_and_others_once() -> None:
    assert rounding_of("USD") == PER_LINE
    assert {rounding_of(code) for code in ("EUR", "JPY", "KWD")} == {PER_TOTAL}


def test_a_price_list_counts_instead_of_the_list_price_also_when_it_is_higher() -> None:
    cheaper = line(1, 1000, quantity=3, price_list="b2b", price_list_price=900)
    dearer = line(2, 1000, price_list="vip", price_list_price=1100)

    found = quote(basket(cheaper, dearer, line(3, 1000)))

    assert [quoted.charge.subtotal for quoted in found.lines] == [2700, 1100, 1000]
    assert found.totals.items == Money(4800, "EUR")


def test_an_empty_basket_costs_nothing() -> None:
    found = quote(basket(shipping=Shipping(500), promotions=(promotion(1, AmountOff(1)),)))

    assert found.totals.grand_total == Money(0, "EUR")


@pytest.mark.parametrize("quantity", [0, -1, 2.5, True, "3", None, 10**15 + 1], ids=str)
def test_a_quantity_is_a_whole_number_from_one_on(quantity: Any) -> None:
    with pytest.raises(NotPriceable):
        line(1, 100, quantity=quantity)


@pytest.mark.parametrize("price", [-1, 0.5, True, "3", 10**15 + 1], ids=str)
def test_a_price_is_a_whole_amount(price: Any) -> None:
    with pytest.raises(NotPriceable) as refusal:
        line(1, price)

    assert refusal.value.facts == {"field": "list_price"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: line(1, 1, price_list="b2b"),
        lambda: line(1, 1, price_list_price=1),
        lambda: Shipping(-1),
        lambda: Rate("vat", -1),
        lambda: Percentage(0),
        lambda: Percentage(10_001),
        lambda: AmountOff(0),
        lambda: AmountOffEach(-1),
        lambda: BuyXGetY(buy=0, get=1),
        lambda: BuyXGetY(buy=1, get=1, most_times=0),
        lambda: BuyXGetY(buy=1, get=1, basis_points=0),
        lambda: Tiers(Measure.QUANTITY, ()),
        lambda: Tiers(Measure.QUANTITY, (Tier(2, AmountOff(1)), Tier(2, AmountOff(2)))),
        lambda: Tiers(Measure.QUANTITY, (Tier(-2, AmountOff(1)),)),
        lambda: promotion(1, Percentage(1), min_subtotal=-1),
        lambda: promotion(1, Percentage(1), min_quantity=0.5),
        lambda: promotion(1, Percentage(1), max_discount=-1),
        lambda: promotion(1, Percentage(1), budget_left=0.5),
        lambda: promotion(1, AmountOff(1), currency=None),
        lambda: promotion(1, AmountOffEach(1), currency=None),
        lambda: promotion(1, Percentage(1), currency=None, min_subtotal=1),
        lambda: promotion(1, Percentage(1), currency=None, max_discount=1),
        lambda: promotion(1, Percentage(1), currency=None, budget_left=1),
        lambda: promotion(1, Tiers(Measure.SUBTOTAL, (Tier(1, Percentage(1)),)), currency=None),
        lambda: promotion(1, Tiers(Measure.QUANTITY, (Tier(1, AmountOff(1)),)), currency=None),
        lambda: basket(line(1, 1), line(1, 1)),
        lambda: basket(promotions=(promotion(1, Percentage(1)), promotion(1, Percentage(2)))),
        lambda: basket(coupons=(Coupon("SUN", None), Coupon("SUN", number(1)))),
    ],
)
def test_facts_that_contradict_themselves_are_refused(make: Any) -> None:
    with pytest.raises(NotPriceable):
        make()


def test_a_total_beyond_all_money_is_refused() -> None:
    enough = line(1, LARGEST_MINOR, quantity=2)

    with pytest.raises(NotAnAmount):
        quote(basket(enough))
