"""Carts that nobody comes back to are deleted, and no others."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import Cart, CartItem, Order, SavedItem
from apps.orders.services import cart_expiry, checkout
from apps.orders.tasks import delete_old_carts
from apps.orders.tests.factories import VISA, ready_cart, saved_item
from apps.users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def aged(cart, *, created, changed):
    """Make the cart as many days old."""
    now = timezone.now()
    Cart.objects.filter(pk=cart.pk).update(
        created_at=now - timedelta(days=created), updated_at=now - timedelta(days=changed)
    )
    return cart


def cart_of(customer_id=None, *, created, changed):
    return aged(ready_cart(customer_id=customer_id)[0], created=created, changed=changed)


def test_guests_carts_go_after_30_days_and_customers_after_180_without_a_change():
    user = UserFactory()
    gone = [
        cart_of(created=31, changed=31),
        cart_of(created=300, changed=31),
        cart_of(user.pk, created=181, changed=181),
    ]
    kept = [
        cart_of(created=29, changed=29),
        cart_of(created=300, changed=29),
        cart_of(user.pk, created=300, changed=179),
    ]
    saved_item(gone[0], VariantFactory().pk)

    delete_old_carts()

    assert set(Cart.objects.all()) == set(kept)
    assert {item.cart_id for item in CartItem.objects.all()} == {cart.pk for cart in kept}
    assert not SavedItem.objects.filter(cart=gone[0].pk).exists()


def test_the_days_are_a_setting(settings):
    settings.CART_KEPT_DAYS = {"guests": 2, "customers": 1}
    user = UserFactory()
    guests = cart_of(created=1.5, changed=1.5)
    cart_of(user.pk, created=1.5, changed=1.5)

    delete_old_carts()

    assert list(Cart.objects.all()) == [guests]


def test_the_cart_of_an_order_stays_and_still_answers_a_repeated_checkout():
    cart, holder = ready_cart()
    checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    aged(cart, created=999, changed=999)

    delete_old_carts()

    again = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    assert again.whole.order == Order.objects.get()


def test_a_batch_says_whether_there_may_be_more(monkeypatch):
    monkeypatch.setattr(cart_expiry, "BATCH", 2)
    for _ in range(3):
        cart_of(created=40, changed=40)

    assert [cart_expiry.delete_old_carts() for _ in range(3)] == [True, False, False]
    assert not Cart.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_cart_that_is_being_ordered_is_passed_over_without_waiting():
    StockLocationFactory()
    cart, holder = ready_cart()
    aged(cart, created=40, changed=40)
    other = aged(ready_cart()[0], created=40, changed=40)
    ordered, swept = threading.Event(), threading.Event()

    def order():
        try:
            with transaction.atomic():
                checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
                ordered.set()
                swept.wait(timeout=10)
        finally:
            connection.close()

    shopper = threading.Thread(target=order)
    shopper.start()
    ordered.wait(timeout=10)
    delete_old_carts()
    swept.set()
    shopper.join()

    assert Cart.objects.get(pk=cart.pk).status == Cart.Status.ORDERED
    assert Order.objects.get().cart_id == cart.pk
    assert not Cart.objects.filter(pk=other.pk).exists()
