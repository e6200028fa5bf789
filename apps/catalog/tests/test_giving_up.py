"""An order gives back a part of what it holds."""

from uuid import uuid4

import pytest

from apps.catalog import interface as catalog
from apps.catalog.models import Reservation, Stock, StockMovement
from apps.catalog.services import stock
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory

pytestmark = pytest.mark.django_db


def well():
    return list(catalog.stock_differences()) == []


@pytest.mark.parametrize("paid", [False, True])
def test_what_is_given_back_is_free_and_the_rest_stays(paid):
    lamp, shade = VariantFactory(stock=5), VariantFactory(stock=5)
    order = uuid4()
    catalog.reserve(order_id=order, quantities={lamp.pk: 3, shade.pk: 2})
    if paid:
        catalog.allocate(order_id=order)

    catalog.give_up(order_id=order, quantities={lamp.pk: 2, shade.pk: 2}, reason="less")

    assert catalog.held_units(order_ids=[order]) == {order: 1}
    offers = catalog.offers(variant_ids=[lamp.pk, shade.pk])
    assert (offers[lamp.pk].available, offers[shade.pk].available) == (4, 5)
    balance = Stock.objects.get(variant=lamp)
    assert (balance.reserved, balance.allocated) == ((0, 1) if paid else (1, 0))
    line = StockMovement.objects.filter(kind="release", stock=balance).get()
    assert (line.reserved_delta, line.allocated_delta) == ((0, -2) if paid else (-2, 0))
    assert line.reason == "less"
    assert Reservation.objects.get(stock__variant=shade).state == "released"
    assert well()


def test_what_lies_elsewhere_goes_back_first():
    lamp = VariantFactory(stock=2)
    other = StockLocationFactory(code="other", priority=200)
    stock.receive(quantities={lamp.pk: 2}, location_id=other.pk, reason="x")
    order = uuid4()
    catalog.reserve(order_id=order, quantities={lamp.pk: 4})

    catalog.give_up(order_id=order, quantities={lamp.pk: 3}, reason="less")

    left = Reservation.objects.get(state="active")
    assert (left.quantity, left.stock.location.code) == (1, "main")
    assert well()


def test_more_than_is_held_is_refused_and_changes_nothing():
    lamp, shade = VariantFactory(stock=5), VariantFactory(stock=5)
    order = uuid4()
    catalog.reserve(order_id=order, quantities={lamp.pk: 3, shade.pk: 1})

    with pytest.raises(catalog.NotHeld) as refusal:
        catalog.give_up(order_id=order, quantities={lamp.pk: 1, shade.pk: 2}, reason="less")

    assert refusal.value.facts == {"skus": [shade.sku]}
    assert catalog.held_units(order_ids=[order]) == {order: 4}
    with pytest.raises(catalog.NotHeld):
        catalog.give_up(order_id=uuid4(), quantities={lamp.pk: 1}, reason="less")
    assert well()


def test_pieces_of_a_hot_variant_go_back_too():
    lamp = VariantFactory(stock=50)
    stock.set_hot(variant_id=lamp.pk, is_hot=True)
    order = uuid4()
    catalog.reserve(order_id=order, quantities={lamp.pk: 5})

    catalog.give_up(order_id=order, quantities={lamp.pk: 2}, reason="less")

    assert catalog.held_units(order_ids=[order]) == {order: 3}
    assert catalog.offers(variant_ids=[lamp.pk])[lamp.pk].available == 47
    assert well()
