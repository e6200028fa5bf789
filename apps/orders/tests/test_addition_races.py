"""Additions by many clients at once: real threads, real PostgreSQL."""

from collections import Counter

import pytest

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import Order
from apps.orders.services import change_sets, checkout
from apps.orders.tests.factories import VISA, declined_order
from apps.orders.tests.test_change_races import all_is_well, confirming, proposed
from apps.orders.tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _main_location():
    StockLocationFactory()


def one_more(order, holder, variant):
    lines = [{"variant_id": str(variant.pk), "quantity": 1}]
    return proposed(order, holder, "edit", lines=lines)


def test_12_orders_that_add_5_units_at_once_add_exactly_5():
    lamp, shade = VariantFactory(stock=40), VariantFactory(stock=5)
    held = [declined_order({lamp.pk: 1}) for _ in range(12)]

    results = at_once(
        [confirming(order, holder, one_more(order, holder, shade)) for order, holder in held]
    )

    assert Counter(type(each) for each in results) == {type(None): 5, catalog.OutOfStock: 7}
    sold = catalog.offers(variant_ids=[lamp.pk, shade.pk])
    assert (sold[lamp.pk].available, sold[shade.pk].available) == (28, 0)
    assert all_is_well()


def test_8_additions_to_one_order_at_once_are_one():
    lamp, shade = VariantFactory(stock=40), VariantFactory(stock=5)
    order, holder = declined_order({lamp.pk: 1})
    changes = [one_more(order, holder, shade) for _ in range(8)]

    results = at_once([confirming(order, holder, change) for change in changes])

    assert Counter(type(each) for each in results) == {
        type(None): 1,
        change_sets.OrderChanged: 7,
    }
    assert catalog.held_units(order_ids=[order.pk]) == {order.pk: 2}
    assert all_is_well()


def test_orders_that_add_what_the_other_one_holds_do_not_wait_in_a_circle():
    lamp, shade = VariantFactory(stock=400), VariantFactory(stock=400)
    for _ in range(8):
        held = [declined_order({variant.pk: 1}) for variant in (lamp, shade) * 3]
        more = (shade, lamp) * 3
        changes = [
            confirming(order, holder, one_more(order, holder, variant))
            for (order, holder), variant in zip(held, more, strict=True)
        ]

        assert at_once(changes) == [None] * 6
    assert all_is_well()


def test_an_addition_and_another_try_to_pay_at_once_agree_on_the_total():
    lamp, shade = VariantFactory(stock=40), VariantFactory(stock=40)
    for turn in range(6):
        order, holder = declined_order({lamp.pk: 1})
        more = one_more(order, holder, shade)

        def pay(order=order, holder=holder):
            checkout.pay_again(holder=holder, order_id=order.pk, payment=VISA)

        calls = [confirming(order, holder, more), pay]
        at_once(calls if turn % 2 else calls[::-1])

        alive = order.attempts.get(status="created")
        now = Order.objects.get(pk=order.pk)
        assert alive.amount_minor == now.grand_total_minor
        units = sum(line.quantity for line in now.lines.all())
        assert catalog.held_units(order_ids=[order.pk]) == {order.pk: units}
    assert all_is_well()
