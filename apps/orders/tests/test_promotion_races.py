"""Limits of promotions and codes when many order at once: real threads on real PostgreSQL."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, transaction

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import CustomerUses, Order, OrderPromotion, Promotion
from apps.orders.selectors.orders import Holder
from apps.orders.services import checkout, coupons, orders, promotions
from apps.orders.services.invariants import violations
from apps.orders.services.uses import PromotionUsedUp
from apps.orders.tests.factories import (
    VISA,
    CouponFactory,
    PromotionFactory,
    paid_order,
    ready_cart,
)
from apps.orders.tests.test_cart_races import WAITING
from apps.orders.tests.test_change_races import confirming, one_lamp_less
from apps.orders.tests.test_races import at_once

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def main_location():
    StockLocationFactory()


def placing(carts):
    return [
        lambda cart=cart, holder=holder: checkout.place_order(
            holder=holder, cart_id=cart.pk, payment=VISA
        )
        for cart, holder in carts
    ]


def kinds(results):
    return Counter(type(result) for result in results)


def test_30_orders_with_one_code_for_10_are_exactly_10():
    coupon = CouponFactory(uses_limit=10)
    variant = VariantFactory(stock=100)
    carts = [ready_cart({variant.pk: 1}, codes=(coupon.code,)) for _ in range(30)]

    results = at_once(placing(carts))

    assert kinds(results) == {checkout.Placed: 10, PromotionUsedUp: 20}
    assert Order.objects.count() == OrderPromotion.objects.count() == 10
    coupon.refresh_from_db()
    assert coupon.uses == 10
    assert list(violations(ask_providers=False)) == []


def test_30_orders_never_spend_more_than_the_budget():
    promotion = PromotionFactory(budget_minor=950, currency="USD")
    variant = VariantFactory(stock=100)
    carts = [ready_cart({variant.pk: 1}) for _ in range(30)]

    results = at_once(placing(carts))

    assert set(kinds(results)) <= {checkout.Placed, PromotionUsedUp}
    promotion.refresh_from_db()
    spent = sum(OrderPromotion.objects.values_list("amount_minor", flat=True))
    assert promotion.budget_used_minor == spent <= 950
    assert list(violations(ask_providers=False)) == []


def test_who_may_use_it_twice_uses_it_twice_however_many_carts_order_at_once():
    customer = uuid4()
    coupon = CouponFactory(uses_per_customer=2)
    variant = VariantFactory(stock=100)
    carts = [
        ready_cart({variant.pk: 1}, customer_id=customer, codes=(coupon.code,)) for _ in range(10)
    ]

    results = at_once(placing(carts))

    assert kinds(results) == {checkout.Placed: 2, PromotionUsedUp: 8}
    assert CustomerUses.objects.get(coupon=coupon).uses == 2


def test_first_orders_at_once_are_one_first_order():
    customer = uuid4()
    coupon = CouponFactory(promotion__first_order_only=True)
    variant = VariantFactory(stock=100)
    carts = [
        ready_cart({variant.pk: 1}, customer_id=customer, codes=(coupon.code,)) for _ in range(8)
    ]

    results = at_once(placing(carts))

    assert kinds(results)[checkout.Placed] == 1
    assert OrderPromotion.objects.count() == 1


def test_promotions_and_codes_in_any_order_never_deadlock():
    made = [CouponFactory(uses_limit=100, promotion__uses_limit=100) for _ in range(4)]
    variant = VariantFactory(stock=100)
    codes = tuple(coupon.code for coupon in made)
    carts = [ready_cart({variant.pk: 1}, codes=codes if n % 2 else codes[::-1]) for n in range(16)]

    results = at_once(placing(carts))

    assert kinds(results) == {checkout.Placed: 16}
    assert set(Promotion.objects.values_list("uses", flat=True)) == {16}


def closing(call):
    def run():
        try:
            return call()
        finally:
            connection.close()

    return run


def locking_while_it_waits(call, *rows):
    """Lock the rows one after the other; the call is made, and has to wait, after the first."""

    first, *others = rows
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first.select_for_update().get()
            result = pool.submit(closing(call))
            with connection.cursor() as cursor:
                while not cursor.execute(WAITING).fetchone()[0]:
                    time.sleep(0.01)
            for each in others:
                each.select_for_update().get()
        return result.result(timeout=10)


def test_an_edit_takes_its_turn_at_promotions_as_an_order_does():
    coupon = CouponFactory(promotion__uses_limit=9)
    automatic = PromotionFactory(uses_limit=9)
    order, holder = paid_order({VariantFactory(stock=9).pk: 2}, codes=(coupon.code,))
    applied = order.promotions.order_by("position").values_list("promotion_id", flat=True)
    assert list(applied) == [automatic.pk, coupon.promotion_id]
    change = one_lamp_less(order, holder)

    locking_while_it_waits(
        confirming(order, holder, change),
        Promotion.objects.filter(pk=coupon.promotion_id),
        Promotion.objects.filter(pk=automatic.pk),
    )

    assert order.lines.get().quantity == 1
    assert list(violations(ask_providers=False)) == []


def test_the_first_limit_counts_what_an_edit_leaves_at_that_moment():
    promotion = PromotionFactory(currency="USD")
    order, holder = paid_order({VariantFactory(price_minor=1000, stock=9).pk: 2})
    change = one_lamp_less(order, holder)

    def limit():
        promotions.change_promotion(promotion_id=promotion.pk, fields={"budget_minor": 1000})

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            confirming(order, holder, change)()
            limited = pool.submit(closing(limit))
            with connection.cursor() as cursor:
                while not limited.done() and not cursor.execute(WAITING).fetchone()[0]:
                    time.sleep(0.01)
        limited.result(timeout=10)

    promotion.refresh_from_db()
    assert (promotion.uses, promotion.budget_used_minor) == (1, 100)
    assert list(violations(ask_providers=False)) == []


def test_one_order_cancelled_8_times_at_once_gives_its_use_back_once():
    CouponFactory(code="SUN", uses_limit=5, promotion__uses_limit=5)
    variant = VariantFactory(stock=100)
    placed = [
        checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
        for cart, holder in (ready_cart({variant.pk: 1}, codes=("SUN",)) for _ in range(3))
    ]
    holder, order_id = Holder(token=placed[0].token), placed[0].whole.order.pk

    at_once([lambda: orders.cancel_order(holder=holder, order_id=order_id)] * 8)

    assert Promotion.objects.get().uses == 2
    assert list(violations(ask_providers=False)) == []


def test_the_first_limit_counts_orders_that_are_placed_at_that_moment():
    promotion = PromotionFactory()
    variant = VariantFactory(stock=100)
    carts = [ready_cart({variant.pk: 1}) for _ in range(12)]
    limit = {"promotion_id": promotion.pk, "fields": {"uses_limit": 100}}

    at_once([*placing(carts), lambda: promotions.change_promotion(**limit)])

    promotion.refresh_from_db()
    assert promotion.uses == OrderPromotion.objects.count()
    assert list(violations(ask_providers=False)) == []


def test_a_code_is_made_once_however_many_make_it():
    promotion = PromotionFactory(needs_code=True)
    limits = {"uses_limit": 1, "uses_per_customer": None}

    results = at_once(
        [
            lambda: coupons.create_batch(promotion_id=promotion.pk, codes=["sun"], **limits),
        ]
        * 6
    )

    assert kinds(results)[coupons.CouponCodeTaken] == 5
    assert promotion.coupons.count() == promotion.batches.count() == 1
