"""Taking and returning money, against the sandbox over real HTTP."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.errors import StepUpRequired
from apps.orders.models import Order, PaymentAttempt, Refund, Shipment, WebhookEvent
from apps.orders.selectors.orders import Holder
from apps.orders.services import checkout, orders, payments, refunds
from apps.orders.tests.factories import DECLINED, THREE_D_SECURE, VISA, placed_order
from apps.orders.tests.provider_messages import signed

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_good_card_makes_the_order_paid_once(provider, ledger, work):
    order, _ = placed_order()

    work()

    order.refresh_from_db()
    attempt = order.attempts.get()
    assert attempt.status == "captured"
    assert order.status == "fulfilling"
    [charge] = ledger()
    assert charge["amount_captured"] == order.grand_total_minor == attempt.amount_minor
    assert charge["metadata"]["attempt_id"] == str(attempt.pk)
    assert [step.to_status for step in order.history.order_by("id")] == [
        "pending_payment",
        "paid",
        "fulfilling",
    ]


def test_a_declined_card_leaves_the_order_waiting_for_another_try(provider, ledger, work):
    order, holder = placed_order(payment=DECLINED)
    work()
    order.refresh_from_db()
    assert order.status == "pending_payment"
    assert order.attempts.get().failure_code == "card_declined"

    checkout.pay_again(holder=holder, order_id=order.pk, payment=VISA)
    work()

    order.refresh_from_db()
    assert order.status == "fulfilling"
    assert sorted(order.attempts.values_list("status", flat=True)) == ["captured", "failed"]
    assert [charge["amount_captured"] for charge in ledger()].count(order.grand_total_minor) == 1


def test_a_second_payment_is_refused_while_the_first_is_alive(provider):
    order, holder = placed_order()

    with pytest.raises(checkout.PaymentUnderWay):
        checkout.pay_again(holder=holder, order_id=order.pk, payment=VISA)

    assert order.attempts.count() == 1


def test_a_card_with_3d_secure_waits_for_the_shopper(provider, work):
    order, _ = placed_order(payment=THREE_D_SECURE)

    work()

    attempt = order.attempts.get()
    assert attempt.status == "requires_action"
    assert attempt.next_action["redirect_url"].startswith(provider.url)
    order.refresh_from_db()
    assert order.status == "pending_payment"


def test_an_authorised_3d_secure_payment_is_captured_at_the_next_look(provider, work):
    order, _ = placed_order(payment=THREE_D_SECURE)
    work()
    page = order.attempts.get().next_action["redirect_url"]
    httpx.post(page, data={"outcome": "authorise"})
    PaymentAttempt.objects.update(next_action_at=Now())

    work()

    order.refresh_from_db()
    assert order.status == "fulfilling"


def test_an_order_that_is_cancelled_before_payment_is_never_charged(provider, ledger, work):
    variant = VariantFactory(stock=5)
    order, holder = placed_order({variant.pk: 2})

    orders.cancel_order(holder=holder, order_id=order.pk)
    work()

    assert order.attempts.get().status == "voided"
    assert ledger() == []
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 5


def test_an_order_that_is_cancelled_while_authorised_is_voided(provider, ledger, work):
    order, holder = placed_order()
    assert payments.advance_payment()
    assert order.attempts.get().status == "authorised"

    orders.cancel_order(holder=holder, order_id=order.pk)
    work()

    assert order.attempts.get().status == "voided"
    assert [charge["amount_captured"] for charge in ledger()] == [0]


def test_money_that_comes_for_a_cancelled_order_goes_back(provider, ledger, work):
    order, holder = placed_order()
    payments.advance_payment()
    attempt = order.attempts.get()
    PaymentAttempt.objects.filter(pk=attempt.pk).update(status="capture_in_flight")
    orders.cancel_order(holder=holder, order_id=order.pk)

    work()

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert order.attempts.get().status == "captured"
    assert Refund.objects.get().status == "succeeded"
    [charge] = ledger()
    assert charge["amount_captured"] == charge["amount_refunded"] == order.grand_total_minor


def test_a_paid_order_that_is_cancelled_is_refunded_once(provider, ledger):
    variant = VariantFactory(stock=5)
    order, holder = placed_order({variant.pk: 2})
    payments.advance_payment()
    payments.advance_payment()
    order.refresh_from_db()
    assert order.status == "paid"

    orders.cancel_order(holder=holder, order_id=order.pk, reason="Changed my mind.")
    while refunds.advance_refund():
        pass

    refund = Refund.objects.get()
    assert (refund.status, refund.amount_minor) == ("succeeded", order.grand_total_minor)
    assert ledger()[0]["amount_refunded"] == order.grand_total_minor
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 5
    assert not Shipment.objects.exists()


def test_who_may_cancel_but_not_refund_leaves_a_paid_order_alone(provider):
    order, _ = placed_order()
    payments.advance_payment()
    payments.advance_payment()
    clerk = Holder(sees_all=True, cancels_all=True)

    with pytest.raises(StepUpRequired):
        orders.cancel_order(
            holder=replace(clerk, refunds_all=True, recently_proven=False), order_id=order.pk
        )
    with pytest.raises(orders.RefundNotAllowed):
        orders.cancel_order(holder=clerk, order_id=order.pk)

    order.refresh_from_db()
    assert order.status == "paid"
    assert not Refund.objects.exists()
    orders.cancel_order(holder=replace(clerk, refunds_all=True), order_id=order.pk)
    assert Refund.objects.count() == 1


def test_a_call_without_an_answer_is_repeated_with_the_same_key(provider, ledger, work):
    order, _ = placed_order()
    httpx.post(f"{provider.url}/_sandbox/faults", json={"drop_reply_rate": 1.0, "seed": 1})

    payments.advance_payment()

    attempt = order.attempts.get()
    assert attempt.status == "in_flight"
    httpx.post(f"{provider.url}/_sandbox/faults", json={})
    PaymentAttempt.objects.update(next_action_at=Now(), lease_until=None)
    work()
    order.refresh_from_db()
    assert order.status == "fulfilling"
    assert len(ledger()) == 1


def test_a_worker_that_died_in_the_middle_is_replaced_when_its_lease_ends(provider, ledger, work):
    order, _ = placed_order()
    PaymentAttempt.objects.update(status="in_flight", lease_until=Now() + timedelta(seconds=30))
    work()
    assert order.attempts.get().status == "in_flight"

    PaymentAttempt.objects.update(lease_until=Now() - timedelta(seconds=1))
    work()

    order.refresh_from_db()
    assert order.status == "fulfilling"
    assert len(ledger()) == 1


def test_an_unpaid_order_expires_and_gives_its_stock_back(provider, work):
    variant = VariantFactory(stock=3)
    order, _ = placed_order({variant.pk: 3}, payment=DECLINED)
    work()
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 0
    Order.objects.update(expires_at=Now() - timedelta(seconds=1))

    work()

    order.refresh_from_db()
    assert order.status == "expired"
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 3


def test_an_order_is_not_expired_while_its_money_is_being_taken(provider):
    order, _ = placed_order()
    payments.advance_payment()
    Order.objects.update(expires_at=Now() - timedelta(seconds=1))

    assert orders.expire_orders() == 0

    order.refresh_from_db()
    assert order.status == "pending_payment"


def test_another_amount_than_was_asked_for_is_not_a_payment(provider, work):
    order, _ = placed_order()
    payments.advance_payment()
    with transaction.atomic():
        PaymentAttempt.objects.update(amount_minor=order.grand_total_minor + 1)

    payments.advance_payment()

    order.refresh_from_db()
    assert order.status == "pending_payment"
    assert order.attempts.get().status == "capture_in_flight"


def test_a_webhook_is_stored_once_and_only_a_hint(provider, client):
    order, _ = placed_order()
    payments.advance_payment()
    events = httpx.get(
        f"{provider.url}/v1/events", headers={"Authorization": f"Bearer {provider.secret_key}"}
    ).json()["data"]
    body, signature = signed(provider, events[0])

    for _ in range(3):
        answer = client.post(
            "/api/v1/hooks/payments/stripe",
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
        assert answer.status_code == 200

    assert WebhookEvent.objects.count() == 1
    while payments.process_webhook():
        pass
    assert WebhookEvent.objects.get().outcome == "applied"
    assert order.attempts.get().status == "authorised"


def test_a_webhook_that_repeats_what_our_call_was_told_is_kept_and_costs_no_work(provider, client):
    placed_order()
    payments.advance_payment()
    events = httpx.get(
        f"{provider.url}/v1/events", headers={"Authorization": f"Bearer {provider.secret_key}"}
    ).json()["data"]
    [created] = [event for event in events if event["type"] == "payment_intent.created"]
    body, signature = signed(provider, created)

    client.post(
        "/api/v1/hooks/payments/stripe",
        body,
        content_type="application/json",
        headers={"Stripe-Signature": signature},
    )

    event = WebhookEvent.objects.get()
    assert (event.outcome, event.next_action_at) == ("ignored", None)
    assert not payments.process_webhook()


def test_a_webhook_with_a_wrong_signature_is_refused(provider, client):
    answer = client.post(
        "/api/v1/hooks/payments/stripe",
        b"{}",
        content_type="application/json",
        headers={"Stripe-Signature": "t=1,v1=00"},
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_signature"
    assert not WebhookEvent.objects.exists()


def test_a_webhook_that_fits_no_payment_waits_and_is_not_lost(provider):
    event = WebhookEvent.objects.create(
        provider="stripe",
        event_id="evt_1",
        type="payment_intent.succeeded",
        reference="pi_unknown",
        payload={},
        next_action_at=Now(),
    )

    payments.process_webhook()

    event.refresh_from_db()
    assert event.outcome == "waiting"
    assert event.next_action_at > event.received_at


def test_the_database_keeps_no_card_number():
    order, _ = placed_order()
    attempt = order.attempts.get()

    with pytest.raises(IntegrityError, match="attempt_method_is_a_reference"):
        PaymentAttempt.objects.filter(pk=attempt.pk).update(method="4242424242424242")
