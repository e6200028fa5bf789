"""What an order holds back: until its time is over, until it is paid, until it is sent."""

import pytest
from django.db import transaction
from django.db.models.functions import Now

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id
from apps.orders.models import Coupon, Order, PaymentAttempt, Refund, Shipment
from apps.orders.services import checkout, payments, shipments
from apps.orders.services.invariants import Rule, violations
from apps.orders.services.transitions import locked, move
from apps.orders.states import OrderStatus
from apps.orders.tests.factories import VISA, CouponFactory, placed_order, ready_cart

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db


def held(order):
    return catalog.held_units(order_ids=[order.pk]).get(order.pk, 0)


def lose_stock(order, variant=None):
    """What the sweeper does when the time is over; somebody else may be quicker afterwards."""
    catalog.release(order_id=order.pk, reason="its time was over")
    if variant is not None:
        left = catalog.offers(variant_ids=[variant.pk])[variant.pk].available
        catalog.reserve(order_id=new_id(), quantities={variant.pk: left})


def authorised(variant):
    order, _ = placed_order({variant.pk: 2})
    assert payments.advance_payment()
    assert order.attempts.get().status == "authorised"
    return order


def test_a_paid_order_has_its_stock_allocated_and_shipping_takes_it(provider, work):
    variant = VariantFactory(stock=5)
    order, _ = placed_order({variant.pk: 2})
    assert held(order) == 2
    payments.advance_payment()
    payments.advance_payment()

    order.refresh_from_db()
    assert order.status == "paid"
    assert not catalog.allocate(order_id=order.pk)
    assert held(order) == 2
    work()
    shipment = Shipment.objects.get()
    shipments.hand_over(shipment_id=shipment.pk)
    assert held(order) == 0
    assert list(violations()) == []


def test_stock_that_was_lost_before_the_money_is_reserved_again_if_it_is_free(provider, work):
    order = authorised(VariantFactory(stock=2))
    lose_stock(order)

    work()

    order.refresh_from_db()
    assert order.status == "fulfilling"
    assert held(order) == 2
    assert list(violations()) == []


def test_stock_that_somebody_else_took_lets_the_money_go_before_it_is_taken(provider, work, ledger):
    variant = VariantFactory(stock=2)
    order = authorised(variant)
    lose_stock(order, variant)

    work()

    order.refresh_from_db()
    assert (order.status, order.attempts.get().status) == ("expired", "voided")
    assert order.history.get(to_status="expired").reason == "It was sold out before it was paid."
    assert [charge["amount_captured"] for charge in ledger()] == [0]
    assert list(violations()) == []


@pytest.mark.parametrize("free", [True, False])
def test_money_that_was_taken_while_the_stock_was_lost_is_never_lost(provider, work, ledger, free):
    variant = VariantFactory(stock=2)
    order = authorised(variant)
    PaymentAttempt.objects.update(status="capture_in_flight", next_action_at=Now())
    lose_stock(order, None if free else variant)

    work()

    order.refresh_from_db()
    [charge] = ledger()
    assert charge["amount_captured"] == order.grand_total_minor
    assert charge["amount_refunded"] == (0 if free else order.grand_total_minor)
    assert order.status == ("fulfilling" if free else "expired")
    assert Refund.objects.count() == (0 if free else 1)
    assert list(violations()) == []


@pytest.mark.parametrize("free", [True, False])
def test_money_that_comes_after_the_order_has_expired(provider, work, ledger, free):
    variant = VariantFactory(stock=2)
    order = authorised(variant)
    Order.objects.update(status="expired")
    lose_stock(order, None if free else variant)
    PaymentAttempt.objects.update(status="capture_in_flight", next_action_at=Now())

    work()

    order.refresh_from_db()
    [charge] = ledger()
    assert order.status == ("fulfilling" if free else "expired")
    assert charge["amount_refunded"] == (0 if free else order.grand_total_minor)
    assert held(order) == (2 if free else 0)
    assert list(violations()) == []


@pytest.mark.parametrize("free", [True, False])
def test_money_that_comes_late_takes_the_uses_of_promotions_again_or_goes_back(
    provider, work, ledger, free
):
    coupon = CouponFactory(uses_limit=1, promotion__uses_limit=2)
    variant = VariantFactory(stock=2)
    cart, holder = ready_cart({variant.pk: 2}, codes=(coupon.code,))
    checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    payments.advance_payment()
    order = Order.objects.get()
    with transaction.atomic():
        move(locked(order.pk), OrderStatus.EXPIRED)
    lose_stock(order)
    coupon.refresh_from_db()
    assert coupon.uses == coupon.promotion.uses == 0
    if not free:
        Coupon.objects.update(uses=1)
    PaymentAttempt.objects.update(status="capture_in_flight", next_action_at=Now())

    work()

    order.refresh_from_db()
    [charge] = ledger()
    assert order.status == ("fulfilling" if free else "expired")
    assert charge["amount_refunded"] == (0 if free else order.grand_total_minor)
    coupon = Coupon.objects.get()
    assert (coupon.uses, coupon.promotion.uses) == (1, 1 if free else 0)
    assert held(order) == (2 if free else 0)


def test_what_is_ordered_ahead_is_sent_when_it_has_come(provider, work):
    variant = VariantFactory(ahead=3)
    order, _ = placed_order({variant.pk: 2})
    work()
    order.refresh_from_db()
    assert (order.status, Shipment.objects.get().status) == ("paid", "planned")

    catalog.receive(quantities={variant.pk: 2}, reason="delivery")
    Shipment.objects.update(next_action_at=Now())
    work()

    order.refresh_from_db()
    assert order.status == "fulfilling"
    assert list(violations()) == []


def test_an_order_that_holds_something_else_than_it_should_is_found():
    variant = VariantFactory(stock=9)
    paid, _ = placed_order({variant.pk: 2})
    ended, _ = placed_order({variant.pk: 3})
    Order.objects.filter(pk=paid.pk).update(status="paid")
    Order.objects.filter(pk=ended.pk).update(status="cancelled")
    catalog.release(order_id=paid.pk)

    found = [v.detail for v in violations(ask_providers=False) if v.rule == Rule.HELD]

    assert sorted(found) == ["cancelled: 3 held, not 0", "paid: 0 held, not 2"]
