"""Unpaid orders of one buyer, and from one network, hold no more than so much of the stock."""

from collections import Counter

import pytest
from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Now
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import Cart, HeldUnits, Order
from apps.orders.services import checkout, edits, orders
from apps.orders.services.held_units import TooManyUnitsHeld
from apps.orders.services.invariants import violations
from apps.orders.tests.factories import VISA, declined_order, gift_card, pay, ready_cart
from apps.orders.tests.test_api import check_out, filled
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def placing(cart, holder, ip=None):
    return lambda: checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA, ip=ip)


def place(variant, quantity, *, ip=None, **options):
    with transaction.atomic():
        placed = placing(*ready_cart({variant.pk: quantity}, **options), ip)()
    return Order.objects.get(pk=placed.whole.order.pk)


def held():
    return HeldUnits.objects.aggregate(units=Sum("units", default=0))["units"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("one", ["guest", "network"])
def test_a_hundred_carts_at_once_hold_what_one_may_hold(settings, one):
    StockLocationFactory()
    settings.HELD_UNITS_PER_BUYER = 20 if one == "guest" else 1_000
    settings.HELD_UNITS_PER_NETWORK = 20 if one == "network" else 1_000
    lamp = VariantFactory(stock=500)
    emails = ["robin@example.com" if one == "guest" else f"r{n}@example.com" for n in range(100)]
    carts = [ready_cart({lamp.pk: 1}, email=email) for email in emails]
    ips = ["198.51.100.7" if one == "network" else f"198.51.100.{n}" for n in range(100)]
    calls = [placing(*cart, ip) for cart, ip in zip(carts, ips, strict=True)]

    results = [result for begin in range(0, 100, 25) for result in at_once(calls[begin:][:25])]

    assert Counter(map(type, results)) == {checkout.Placed: 20, TooManyUnitsHeld: 80}
    assert Order.objects.count() == held() == 20
    assert catalog.offers(variant_ids=[lamp.pk])[lamp.pk].available == 480
    assert list(violations(ask_providers=False, workers_run=False)) == []


@pytest.mark.django_db(transaction=True)
def test_whoever_holds_too_much_is_told_the_limit_and_nothing_changes(settings):
    StockLocationFactory()
    settings.HELD_UNITS_PER_BUYER = 3
    guest, other = APIClient(), APIClient()
    path, lamp = filled(guest)
    check_out(guest, path)
    path, lamp = filled(other)

    answer = check_out(other, path)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_units_held")
    assert answer.json()["facts"] == {"limit": 3}
    assert Order.objects.count() == 1
    assert catalog.offers(variant_ids=[lamp.pk])[lamp.pk].available == 10
    assert Cart.objects.filter(status=Cart.Status.OPEN).count() == 1


def test_a_guest_is_known_by_the_address_in_any_case_and_a_customer_by_the_account(settings):
    settings.HELD_UNITS_PER_BUYER = 2
    lamp, customer = VariantFactory(stock=20), UserFactory().pk
    place(lamp, 2)
    place(lamp, 2, customer_id=customer, email="a@example.com")

    with pytest.raises(TooManyUnitsHeld):
        place(lamp, 1, email="ROBIN@example.com")
    with pytest.raises(TooManyUnitsHeld):
        place(lamp, 1, customer_id=customer, email="b@example.com")
    place(lamp, 2, email="b@example.com")


def test_addresses_of_one_ipv6_network_are_one(settings):
    settings.HELD_UNITS_PER_NETWORK = 2
    lamp = VariantFactory(stock=20)
    place(lamp, 2, ip="2001:db8::1", email="a@example.com")

    with pytest.raises(TooManyUnitsHeld):
        place(lamp, 1, ip="2001:db8::2", email="b@example.com")
    place(lamp, 2, ip="2001:db8:0:1::1", email="c@example.com")


def cancel(order):
    orders.cancel_order(holder=order.holder, order_id=order.pk)


def expire(order):
    Order.objects.filter(pk=order.pk).update(expires_at=Now())
    assert orders.expire_orders() == 1


@pytest.mark.parametrize("end", [pay, cancel, expire])
def test_what_is_paid_or_over_holds_nothing(settings, end):
    settings.HELD_UNITS_PER_BUYER = 2
    lamp = VariantFactory(stock=20)
    cart, holder = ready_cart({lamp.pk: 2})
    placed = placing(cart, holder)()
    order = Order.objects.get(pk=placed.whole.order.pk)
    order.holder = type(holder)(token=placed.token)
    assert held() == 2

    end(order)

    assert held() == 0
    place(lamp, 2)


def test_an_order_without_anything_to_pay_holds_nothing(settings):
    settings.HELD_UNITS_PER_BUYER = 1
    _, code = gift_card(10_000)
    cart, holder = ready_cart({VariantFactory(stock=5).pk: 3}, gift_cards=(code,))

    placed = checkout.place_order(
        holder=holder,
        cart_id=cart.pk,
        payment=VISA,
        expected_to_pay=Order(currency="USD", grand_total_minor=0).grand_total,
    )

    assert placed.whole.order.status == "paid"
    assert held() == 0


def test_an_edit_holds_less_or_as_much_as_there_is_room_for(settings):
    settings.HELD_UNITS_PER_BUYER = 5
    lamp = VariantFactory(stock=20)
    order, _ = declined_order({lamp.pk: 3})
    place(lamp, 1)
    line = order.lines.get()

    with pytest.raises(TooManyUnitsHeld), transaction.atomic():
        edits.apply_edit(order, edits.Edit({line.pk: 5}), reason="")
    assert (order.lines.get().quantity, held()) == (3, 4)

    edits.apply_edit(order, edits.Edit({line.pk: 2}), reason="")
    assert held() == 3


def test_fewer_pieces_are_never_refused(settings):
    order, _ = declined_order({VariantFactory(stock=20).pk: 3})
    HeldUnits.objects.update(most_of_buyer=F("units") - 3)

    edits.apply_edit(order, edits.Edit({order.lines.get().pk: 1}), reason="")

    assert held() == 1
