"""What goes back for a part of an order."""

from typing import Any

import pytest

from apps.orders.pricing import (
    MoreThanBought,
    NotPriceable,
    Parts,
    Percentage,
    Quote,
    Shipping,
    Sold,
    Taxes,
    quote,
    refund,
)
from apps.orders.tests.baskets import VAT, basket, line, number, promotion


@pytest.fixture
def quoted() -> Quote:
    """Three pieces of 0.33 less a tenth and one of 10.00, plus tax; shipping 1.00."""
    return quote(
        basket(
            line(1, 33, quantity=3),
            line(2, 1000),
            shipping=Shipping(100),
            promotions=(promotion(1, Percentage(1000)),),
            taxes=Taxes(rates={"standard": (VAT,)}),
        )
    )


@pytest.fixture
def sold(quoted: Quote) -> Sold:
    return Sold.of(quoted)


def pieces(count: int, variant: int = 1) -> Parts:
    return Parts({number(variant): count})


def test_each_piece_brings_its_share_and_the_last_one_what_is_missing(sold: Sold) -> None:
    one = pieces(1)

    back = [refund(sold, one, earlier=[one] * before).lines[number(1)] for before in range(3)]

    charge = sold.lines[number(1)].charge
    assert (charge.net, charge.tax) == (89, 17)
    assert [refunded.net for refunded in back] == [30, 29, 30]
    assert [refunded.taxes[0].amount for refunded in back] == [6, 5, 6]
    assert sum(refunded.total for refunded in back) == charge.total


def test_two_at_once_bring_what_one_and_one_bring(sold: Sold) -> None:
    at_once = refund(sold, pieces(2))
    one_by_one = [refund(sold, pieces(1)), refund(sold, pieces(1), earlier=[pieces(1)])]

    assert at_once.total == sum(each.total for each in one_by_one)


def test_everything_at_once_is_the_total(quoted: Quote, sold: Sold) -> None:
    everything = Parts({number(1): 3, number(2): 1}, shipping=True)

    assert refund(sold, everything).total == quoted.totals.grand_total.minor


def test_shipping_goes_back_only_when_it_is_asked_for(sold: Sold) -> None:
    assert refund(sold, pieces(1)).shipping is None
    assert refund(sold, Parts(shipping=True)).total == 119


@pytest.mark.parametrize(
    ("parts", "left"),
    [(pieces(2), 1), (Parts({number(2): 2}), 1)],
    ids=["after earlier ones", "at once"],
)
def test_more_than_was_bought_does_not_come_back(sold: Sold, parts: Parts, left: int) -> None:
    with pytest.raises(MoreThanBought) as refusal:
        refund(sold, parts, earlier=[pieces(1), pieces(1), Parts(shipping=True)])

    assert refusal.value.facts["left"] == left


def test_shipping_goes_back_once(sold: Sold) -> None:
    with pytest.raises(MoreThanBought):
        refund(sold, Parts(shipping=True), earlier=[Parts(shipping=True)])


def test_what_was_not_bought_does_not_come_back(sold: Sold) -> None:
    with pytest.raises(NotPriceable) as refusal:
        refund(sold, pieces(1, variant=9))

    assert refusal.value.facts == {"variant_id": number(9)}


@pytest.mark.parametrize("quantity", [0, -1, 0.5, True], ids=str)
def test_a_part_is_whole_pieces(quantity: Any) -> None:
    with pytest.raises(NotPriceable):
        pieces(quantity)
