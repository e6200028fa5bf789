"""What promotions take off, each for itself and beside others."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from apps.kernel.money import Money
from apps.orders.pricing import (
    AmountOff,
    AmountOffEach,
    BuyXGetY,
    Coupon,
    FreeShipping,
    Measure,
    Outcome,
    Percentage,
    Promotion,
    Quote,
    Selection,
    Shipping,
    Tier,
    Tiers,
    quote,
)
from apps.orders.tests.baskets import basket, line, number, promotion, trial_of


def discounts(found: Quote) -> list[int]:
    """Return what is off each line, and off the parcel."""
    return [charge.discount for charge in found.charges]


def off(*promotions: Promotion, lines: Any, **facts: Any) -> list[int]:
    """Return what these promotions take off each line."""
    return discounts(quote(basket(*lines, promotions=promotions, **facts)))[:-1]


def brand(value: int) -> Selection:
    return Selection(brand_ids=frozenset({number(value)}))


def test_a_percentage_is_rounded_once_and_shared_by_what_the_lines_cost() -> None:
    lines = [line(1, 5), line(2, 5), line(3, 5)]

    assert off(promotion(1, Percentage(1000)), lines=lines) == [1, 1, 0]


def test_an_amount_off_the_order_is_shared_and_never_more_than_the_goods_cost() -> None:
    lines = [line(1, 1000), line(2, 500, quantity=4)]

    assert off(promotion(1, AmountOff(1000)), lines=lines) == [333, 667]
    assert off(promotion(1, AmountOff(9999)), lines=lines) == [1000, 2000]


def test_an_amount_off_each_piece_is_never_more_than_the_piece_costs() -> None:
    lines = [line(1, 1000, quantity=2), line(2, 30, quantity=3)]

    assert off(promotion(1, AmountOffEach(50)), lines=lines) == [100, 90]


def test_only_the_goods_of_the_promotion_get_cheaper() -> None:
    lines = [
        line(1, 1000, brand_id=number(7), category_ids=frozenset({number(1), number(2)})),
        line(2, 1000, brand_id=number(7), tags=frozenset({"new"})),
        line(3, 1000),
    ]

    def chosen(**kinds: Any) -> list[int]:
        goods = Selection(**{name: frozenset(values) for name, values in kinds.items()})
        return off(promotion(1, Percentage(1000), goods=goods), lines=lines)

    assert chosen(brand_ids={number(7)}) == [100, 100, 0]
    assert chosen(category_ids={number(2), number(9)}) == [100, 0, 0]
    assert chosen(product_ids={number(3), number(2)}) == [0, 100, 100]
    assert chosen(tags={"new"}) == [0, 100, 0]
    assert chosen(brand_ids={number(7)}, tags={"new"}) == [0, 100, 0]


@pytest.mark.parametrize(("quantity", "reduced"), [(2, 0), (3, 1), (5, 1), (6, 2), (9, 3)], ids=str)
def test_of_each_set_one_piece_is_free(quantity: int, reduced: int) -> None:
    lines = [line(1, 100, quantity=quantity)]

    assert off(promotion(1, BuyXGetY(buy=2, get=1)), lines=lines) == [100 * reduced]


def test_the_cheapest_pieces_are_the_free_ones_and_not_more_often_than_is_said() -> None:
    lines = [line(1, 300, quantity=2), line(2, 100), line(3, 200, quantity=3)]
    offer = BuyXGetY(buy=1, get=1)

    assert off(promotion(1, offer), lines=lines) == [0, 100, 400]
    assert off(promotion(1, replace(offer, most_times=1)), lines=lines) == [0, 100, 0]


def test_other_goods_get_cheaper_by_a_share_and_no_piece_is_bought_and_got() -> None:
    offer = BuyXGetY(buy=2, get=1, basis_points=5000, gets=brand(8))
    rule = promotion(1, offer, goods=brand(7))

    lines = [line(1, 1000, quantity=5, brand_id=number(7)), line(2, 301, 3, brand_id=number(8))]
    assert off(rule, lines=lines) == [0, 301]

    all_the_same = promotion(1, replace(offer, gets=brand(7)), goods=brand(7))
    assert off(all_the_same, lines=lines) == [500, 0]


def test_pieces_that_could_be_either_are_bought_where_they_are_needed() -> None:
    either = frozenset({number(1)}), frozenset({"gift"})
    lines = [
        line(1, 50, 2, category_ids=either[0], tags=either[1]),
        line(2, 80, 1, tags=either[1]),
    ]
    rule = promotion(
        1,
        BuyXGetY(buy=2, get=1, gets=Selection(tags=frozenset({"gift"}))),
        goods=Selection(category_ids=either[0]),
    )

    assert off(rule, lines=lines) == [0, 80]


def test_pieces_that_could_be_either_are_got_only_as_far_as_enough_are_bought() -> None:
    lines = [
        *(line(key, 10 * key, brand_id=number(7), tags=frozenset({"gift"})) for key in (1, 2, 3)),
        line(4, 80, tags=frozenset({"gift"})),
    ]
    offer = BuyXGetY(buy=1, get=1, gets=Selection(tags=frozenset({"gift"})))

    assert off(promotion(1, offer, goods=brand(7)), lines=lines) == [10, 0, 0, 80]


def test_there_are_as_many_sets_as_the_pieces_are_enough_for() -> None:
    def most_sets(bought: int, got: int, either: int, offer: BuyXGetY) -> int:
        return max(
            sets
            for sets in range(20)
            for bought_of_either in range(either + 1)
            if sets * offer.buy <= bought + bought_of_either
            and sets * offer.get <= got + either - bought_of_either
        )

    for bought, got, either in product(range(4), repeat=3):
        lines = [
            *([line(1, 1, bought, brand_id=number(7))] if bought else []),
            *([line(2, 1, got, tags=frozenset({"gift"}))] if got else []),
            *([line(3, 1, either, brand_id=number(7), tags=frozenset({"gift"}))] if either else []),
        ]
        for buy, get in product(range(1, 4), repeat=2):
            offer = BuyXGetY(buy=buy, get=get, gets=Selection(tags=frozenset({"gift"})))
            found = off(promotion(1, offer, goods=brand(7)), lines=lines)
            assert sum(found) == get * most_sets(bought, got, either, offer)


def test_free_shipping_takes_the_price_off_the_parcel() -> None:
    found = quote(
        basket(line(1, 1000), shipping=Shipping(499), promotions=(promotion(1, FreeShipping()),))
    )

    assert found.totals.shipping == found.totals.discount == Money(499, "EUR")
    assert (found.shipping.total, found.totals.grand_total) == (0, Money(1000, "EUR"))


def test_what_needs_no_parcel_has_no_shipping_price() -> None:
    found = quote(basket(line(1, 1000, requires_shipping=False), shipping=Shipping(499)))

    assert found.totals.grand_total == Money(1000, "EUR")


@pytest.mark.parametrize(
    ("by", "quantity", "amount"),
    [
        (Measure.QUANTITY, 2, 20),
        (Measure.QUANTITY, 9, 90),
        (Measure.QUANTITY, 10, 300),
        (Measure.SUBTOTAL, 1, 10),
    ],
    ids=str,
)
def test_the_last_tier_that_is_reached_counts(by: Measure, quantity: int, amount: int) -> None:
    tiers = Tiers(
        by, (Tier(2, Percentage(1000)), Tier(10, AmountOffEach(30)), Tier(101, AmountOff(1)))
    )
    if by is Measure.SUBTOTAL:
        tiers = Tiers(by, (Tier(100, Percentage(1000)), Tier(101, AmountOff(1))))

    assert off(promotion(1, tiers), lines=[line(1, 100, quantity=quantity)]) == [amount]


def test_a_discount_stays_within_its_maximum_and_the_budget() -> None:
    lines = [line(1, 1000), line(2, 2000)]

    assert off(promotion(1, Percentage(5000), max_discount=100), lines=lines) == [33, 67]
    limited = promotion(1, Percentage(5000), max_discount=100, budget_left=10)
    assert off(limited, lines=lines) == [3, 7]


def test_those_of_one_priority_start_from_one_price_and_lower_ones_from_what_is_left() -> None:
    lines = [line(1, 1000)]
    tenth = promotion(1, Percentage(1000)), promotion(2, Percentage(1000))

    assert off(*tenth, lines=lines) == [200]
    assert off(tenth[0], replace(tenth[1], priority=-1), lines=lines) == [190]


def test_coupons_come_after_what_everybody_gets_whatever_their_priority() -> None:
    rules = (
        promotion(1, AmountOff(500)),
        promotion(2, Percentage(1000), needs_code=True, priority=9),
    )

    assert off(*rules, lines=[line(1, 1000)], coupons=(Coupon("SUN", number(2)),)) == [550]


def test_together_they_take_off_what_the_goods_cost_and_no_more() -> None:
    found = quote(
        basket(
            line(1, 1000),
            shipping=Shipping(300),
            promotions=tuple(promotion(key, Percentage(6000)) for key in (1, 2, 3)),
        )
    )

    assert [(each.promotion_id, each.amount) for each in found.promotions] == [
        (number(1), 600),
        (number(2), 400),
    ]
    assert trial_of(found, 3).outcome is Outcome.DISCOUNTS_NOTHING
    assert found.totals.grand_total == Money(300, "EUR")


def test_a_higher_priority_stands_before_a_better_discount() -> None:
    first = promotion(1, Percentage(1000), exclusive=True, priority=1)
    better = promotion(2, Percentage(9000))

    assert off(first, better, lines=[line(1, 1000)]) == [100]
    assert off(replace(first, priority=-1), better, lines=[line(1, 1000)]) == [900]


def test_together_they_stand_as_high_as_the_highest_of_them() -> None:
    high, low = promotion(1, Percentage(100), priority=2), promotion(2, Percentage(100))
    alone = promotion(3, Percentage(9000), exclusive=True, priority=1)

    assert off(high, low, alone, lines=[line(1, 10_000)]) == [199]


def test_what_a_promotion_could_take_off_counts_only_as_far_as_there_is_something() -> None:
    lines = [line(1, 100, brand_id=number(7)), line(2, 1000)]
    large = promotion(1, AmountOffEach(5000), goods=brand(7), stacking_group="a")
    better = promotion(2, Percentage(5000), stacking_group="a")

    assert off(large, better, lines=lines) == [50, 500]


def test_an_exclusive_promotion_that_takes_nothing_off_excludes_nobody() -> None:
    idle = promotion(1, AmountOff(100), exclusive=True, priority=5, max_discount=0)

    assert off(idle, promotion(2, Percentage(1000)), lines=[line(1, 1000)]) == [100]


def test_of_equal_promotions_the_lower_id_counts() -> None:
    twins = [promotion(key, Percentage(1000), stacking_group="a") for key in (2, 1)]
    exclusive = [promotion(key, Percentage(1000), exclusive=True) for key in (4, 3)]

    shared = quote(basket(line(1, 1000), promotions=tuple(twins)))
    alone = quote(basket(line(1, 1000), promotions=tuple(exclusive)))

    assert [each.promotion_id for each in shared.promotions] == [number(1)]
    assert [each.promotion_id for each in alone.promotions] == [number(3)]


def test_who_takes_nothing_off_keeps_no_place_in_a_group() -> None:
    rules = (
        promotion(1, Percentage(10_000), goods=brand(7), priority=2),
        promotion(2, Percentage(1000), goods=brand(7), priority=1, stacking_group="a"),
        promotion(3, Percentage(1000), stacking_group="a"),
    )
    found = quote(basket(line(1, 1000, brand_id=number(7)), line(2, 500), promotions=rules))

    assert discounts(found) == [1000, 50, 0]
    assert trial_of(found, 2).outcome is Outcome.DISCOUNTS_NOTHING


def test_a_share_needs_no_currency() -> None:
    everywhere = promotion(1, Percentage(1000), currency=None)
    tiers = promotion(2, Tiers(Measure.QUANTITY, (Tier(1, Percentage(1000)),)), currency=None)

    assert off(everywhere, tiers, lines=[line(1, 100)], currency="JPY") == [20]
