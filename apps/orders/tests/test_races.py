"""Two clients at once: real threads on real PostgreSQL."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import (
    PriceFactory,
    PriceListFactory,
    VariantFactory,
)
from apps.kernel.errors import DomainError
from apps.kernel.models import OutboxEvent
from apps.kernel.money import Money
from apps.orders.models import Order, PaymentAttempt, Refund, StatusChange
from apps.orders.selectors.ledger import refundable_minor, trial_balance
from apps.orders.services import checkout, orders, payments, refunds
from apps.orders.services.invariants import violations
from apps.orders.services.transitions import OrderStatusConflict
from apps.orders.tests.factories import VISA, completed_order, placed_order, ready_cart
from apps.users.tests.factories import StaffFactory, access_token_for

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls: list[Callable[[], object]]) -> list[object]:
    """Start all calls together; return their results, or the refusals they met."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        gate.wait()
        try:
            return call()
        except DomainError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def test_32_buyers_of_20_units_sell_exactly_20():
    variant = VariantFactory(stock=20)
    carts = [ready_cart({variant.pk: 1}) for _ in range(32)]

    results = at_once(
        [
            lambda cart=cart, holder=holder: checkout.place_order(
                holder=holder, cart_id=cart.pk, payment=VISA
            )
            for cart, holder in carts
        ]
    )

    assert Counter(type(result) for result in results) == {
        checkout.Placed: 20,
        catalog.OutOfStock: 12,
    }
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 0
    assert Order.objects.count() == PaymentAttempt.objects.count() == 20
    assert OutboxEvent.objects.filter(name="orders.order_placed").count() == 20
    assert list(violations(ask_providers=False)) == []


def test_carts_with_the_same_variants_in_any_order_never_deadlock():
    variants = [VariantFactory(stock=100).pk for _ in range(4)]
    carts = [
        ready_cart(dict.fromkeys(variants if n % 2 else reversed(variants), 1)) for n in range(16)
    ]

    results = at_once(
        [
            lambda cart=cart, holder=holder: checkout.place_order(
                holder=holder, cart_id=cart.pk, payment=VISA
            )
            for cart, holder in carts
        ]
    )

    assert {type(result) for result in results} == {checkout.Placed}
    assert {o.available for o in catalog.offers(variant_ids=variants).values()} == {84}


def test_20_parallel_checkouts_of_one_cart_make_one_order():
    variant = VariantFactory(stock=50)
    cart, holder = ready_cart({variant.pk: 2})

    def check_out(key: str):
        return APIClient(headers={"X-Cart-Token": holder.token}).post(
            f"/api/v1/carts/{cart.pk}/checkout",
            {"payment": {"provider": "stripe", "method": "pm_card_visa"}},
            headers={"Idempotency-Key": key},
        )

    answers = at_once([lambda n=n: check_out(f"key-{n}") for n in range(20)])

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Order.objects.count() == PaymentAttempt.objects.count() == 1
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 48


def test_20_parallel_checkouts_under_one_key_make_one_order():
    cart, holder = ready_cart()

    def check_out():
        return APIClient(headers={"X-Cart-Token": holder.token}).post(
            f"/api/v1/carts/{cart.pk}/checkout",
            {"payment": {"provider": "stripe", "method": "pm_card_visa"}},
            headers={"Idempotency-Key": "one"},
        )

    answers = at_once([check_out] * 20)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    for refused in (answer for answer in answers if answer.status_code == 409):
        assert refused.json()["code"] == "idempotency_key_in_use"
        assert refused["Retry-After"] == "1"
    assert Order.objects.count() == 1


def test_one_order_cancelled_8_times_at_once_gives_its_stock_back_once():
    variant = VariantFactory(stock=5)
    order, holder = placed_order({variant.pk: 5})

    results = at_once([lambda: orders.cancel_order(holder=holder, order_id=order.pk)] * 8)

    assert Counter(type(result) for result in results) == {Order: 1, OrderStatusConflict: 7}
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 5
    assert StatusChange.objects.filter(order=order, to_status="cancelled").count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_cancelling_while_the_money_is_taken_ends_paid_or_with_the_money_back(
    provider, ledger, work, round_
):
    order, holder = placed_order()
    payments.advance_payment()

    at_once(
        [
            payments.advance_payment,
            lambda: orders.cancel_order(holder=holder, order_id=order.pk),
            payments.advance_payment,
        ]
    )
    work()

    order.refresh_from_db()
    [charge] = ledger()
    kept = charge["amount_captured"] - charge["amount_refunded"]
    assert order.status == "cancelled"
    assert kept == 0
    assert Refund.objects.count() == (1 if charge["amount_captured"] else 0)
    assert list(violations()) == []


def test_30_parallel_refunds_of_a_tenth_give_back_exactly_what_was_captured(provider, ledger, work):
    order, _ = placed_order()
    work()
    token = access_token_for(StaffFactory(permissions=["orders.refund_order"]))
    tenth = {"amount": f"{order.grand_total_minor / 1000:.2f}", "currency": "USD"}

    def ask(key: str):
        return APIClient(headers={"Authorization": f"Bearer {token}"}).post(
            f"/api/v1/orders/{order.pk}/refunds",
            {"amount": tenth, "reason": "A scratch."},
            headers={"Idempotency-Key": key},
        )

    answers = at_once([lambda n=n: ask(f"key-{n}") for n in range(30)])

    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 20}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "refund_exceeds_captured"
    }
    assert refundable_minor(order.pk) == 0
    work()
    assert Refund.objects.filter(status="succeeded").count() == 10
    [charge] = ledger()
    assert charge["amount_refunded"] == charge["amount_captured"] == order.grand_total_minor
    assert sum(row.balance_minor for row in trial_balance()) == 0
    assert list(violations()) == []


def test_the_database_alone_keeps_parallel_refunds_within_what_was_captured():
    order, _ = completed_order()
    attempt = order.attempts.get()

    def insert():
        try:
            Refund.objects.create(
                attempt_id=attempt.pk, amount_minor=149, currency="USD", status="succeeded"
            )
        except IntegrityError as refusal:
            return refusal
        return None

    results = at_once([insert] * 16)

    refusals = [str(each) for each in results if each is not None]
    assert len(refusals) == 6
    assert all("attempt_refunds_are_at_most_what_was_captured" in each for each in refusals)
    attempt.refresh_from_db()
    assert attempt.refund_promised_minor == 1 + 10 * 149


def test_refunds_and_a_cancellation_at_once_give_back_exactly_what_was_captured(provider, ledger):
    order, holder = placed_order()
    payments.advance_payment()
    payments.advance_payment()

    at_once(
        [
            *[
                lambda: refunds.refund_order(
                    order_id=order.pk, amount=Money(400, "USD"), reason="A scratch."
                )
            ]
            * 3,
            lambda: orders.cancel_order(holder=holder, order_id=order.pk),
            *[refunds.advance_refund] * 4,
        ]
    )
    while refunds.advance_refund():
        pass

    [charge] = ledger()
    assert charge["amount_refunded"] == order.grand_total_minor
    assert list(violations(workers_run=False)) == []


def test_four_workers_charge_every_order_once(provider, ledger):
    variant = VariantFactory(stock=40)
    for _ in range(20):
        placed_order({variant.pk: 1})

    def drain() -> int:
        steps = 0
        while payments.advance_payment():
            steps += 1
        return steps

    at_once([drain] * 4)
    drain()

    assert Order.objects.filter(status="paid").count() == 20
    assert len(ledger()) == 20
    assert len({charge["metadata"]["attempt_id"] for charge in ledger()}) == 20
    assert list(violations()) == []


def test_one_cart_filled_by_8_clients_at_once_holds_all_they_put_in():
    cart, holder = ready_cart()
    variant = VariantFactory(stock=5)

    def add():
        return APIClient(headers={"X-Cart-Token": holder.token}).post(
            f"/api/v1/carts/{cart.pk}/items", {"sku": variant.sku, "quantity": 2}
        )

    answers = at_once([add] * 8)

    assert {answer.status_code for answer in answers} == {200}
    assert cart.items.get(variant_id=variant.pk).quantity == 16


def test_an_order_costs_the_price_before_a_change_or_after_it_and_nothing_between():
    for turn in range(7):
        variant = VariantFactory(price_minor=1000, stock=20)
        row = PriceFactory(variant=variant, price_list=PriceListFactory(), amount_minor=900)
        carts = [ready_cart({variant.pk: 2}) for _ in range(6)]

        def reprice(row=row):
            row.amount_minor = 500
            row.save(update_fields=["amount_minor"])

        buys = [
            lambda cart=cart, holder=holder: checkout.place_order(
                holder=holder, cart_id=cart.pk, payment=VISA
            )
            for cart, holder in carts
        ]
        placed = at_once([*buys[:turn], reprice, *buys[turn:]])

        for order in Order.objects.filter(cart_id__in=[cart.pk for cart, _ in carts]):
            line = order.lines.get()
            assert line.unit_price_minor in {900, 500}
            assert line.total_minor == order.items_minor == 2 * line.unit_price_minor
        assert sum(isinstance(each, checkout.Placed) for each in placed) == 6
