"""A database that was restored has forgotten orders; the provider has not."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.contrib.sessions.models import Session as StaffSession
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog.tests.factories import VariantFactory
from apps.kernel.money import Money
from apps.orders.models import Order, PaymentAttempt, Refund, StrayPayment, WebhookEvent
from apps.orders.payments import gateway_for
from apps.orders.services import checkout, payments, refunds
from apps.orders.services.invariants import violations
from apps.orders.tests.factories import VISA, placed_order, ready_cart
from apps.users.tests.factories import SessionFactory, UserFactory

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known(provider, work):
    """An order that the restored database still knows, paid."""
    order, _ = placed_order()
    work()
    return order


def forgotten_payment(*, captured: bool = True, method: str = "pm_card_visa") -> str:
    """Pay at the provider for an order that the database has forgotten. Returns the reference."""
    attempt_id, gateway = uuid4(), gateway_for("stripe")
    state = gateway.authorise(
        attempt_id=attempt_id,
        amount_minor=1250,
        currency="USD",
        method=method,
        description="Order 1",
        return_url="https://shop.example.com",
        metadata={"order_id": str(uuid4())},
    )
    if captured:
        gateway.capture(attempt_id=attempt_id, reference=state.reference, amount_minor=1250)
    return state.reference


def rules() -> set[str]:
    return {violation.rule for violation in violations()}


def test_what_was_captured_for_a_forgotten_order_is_refunded_once(known, ledger, work):
    reference = forgotten_payment()
    assert rules() == {"the provider's payment is ours"}

    for _ in range(2):
        call_command("after_restore", "--apply")
    assert rules() == set()
    for _ in range(2):
        work()
        StrayPayment.objects.filter(status="open").update(next_action_at=Now())

    [charge] = [each for each in ledger() if each["payment_intent"] == reference]
    assert (charge["amount_captured"], charge["amount_refunded"]) == (1250, 1250)
    assert StrayPayment.objects.get().status == "returned"
    assert rules() == set()


def test_money_that_was_only_set_aside_is_released(known, ledger, work):
    references = {
        forgotten_payment(captured=False),
        forgotten_payment(captured=False, method="pm_card_threeDSecure2Required"),
    }

    call_command("after_restore", "--apply")
    for _ in range(2):
        work()
        StrayPayment.objects.filter(status="open").update(next_action_at=Now())

    assert set(StrayPayment.objects.values_list("reference", "status")) == {
        (reference, "returned") for reference in references
    }
    states = {
        state.reference: state.status
        for state in gateway_for("stripe").states(since=timezone.now() - timedelta(hours=1))
    }
    assert {states[reference] for reference in references} == {"voided"}


def test_a_payment_that_is_known_here_is_left_alone(known, ledger, work, capsys):
    call_command("after_restore", "--apply")
    work()

    assert not StrayPayment.objects.exists()
    assert [charge["amount_refunded"] for charge in ledger()] == [0]


def test_a_payment_that_is_not_of_this_store_is_left_alone(known, provider):
    httpx.post(
        f"{provider.url}/v1/payment_intents",
        data={
            "amount": "500",
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": "true",
            "return_url": "https://shop.example.com",
            "allowed_payment_method_types[]": "card",
        },
        headers={"Authorization": f"Bearer {provider.secret_key}"},
    ).raise_for_status()

    call_command("after_restore", "--apply")

    assert not StrayPayment.objects.exists()


def test_a_refund_without_an_answer_is_repeated_with_the_same_key(known, provider, ledger, work):
    reference = forgotten_payment()
    call_command("after_restore", "--apply")
    httpx.post(f"{provider.url}/_sandbox/faults", json={"drop_reply_rate": 1.0, "seed": 1})
    work()
    assert StrayPayment.objects.get().status == "open"
    httpx.post(f"{provider.url}/_sandbox/faults", json={})

    for _ in range(2):
        StrayPayment.objects.update(next_action_at=Now(), lease_until=None)
        work()

    assert StrayPayment.objects.get().status == "returned"
    [charge] = [each for each in ledger() if each["payment_intent"] == reference]
    assert charge["amount_refunded"] == 1250


def test_a_stray_that_the_provider_does_not_know_is_refused_and_stays_a_finding(known, work):
    StrayPayment.objects.create(
        provider="stripe",
        reference="pi_unknown",
        attempt_id=uuid4(),
        amount_minor=1,
        currency="USD",
        next_action_at=Now(),
    )

    work()

    assert StrayPayment.objects.get().status == "refused"


def test_messages_about_a_stray_are_not_kept_waiting(known, work):
    reference = forgotten_payment()
    call_command("after_restore", "--apply")
    WebhookEvent.objects.create(
        provider="stripe",
        event_id="evt_1",
        type="payment_intent.succeeded",
        reference=reference,
        payload={},
        next_action_at=Now(),
    )

    payments.process_webhook()

    assert WebhookEvent.objects.get().outcome == "applied"


def test_an_order_that_was_refunded_in_the_lost_time_is_cancelled_again(provider, ledger, work):
    variant = VariantFactory(stock=5)
    order, _ = placed_order({variant.pk: 2})
    payments.advance_payment()
    payments.advance_payment()
    attempt = order.attempts.get()
    gateway_for("stripe").refund(
        refund_id=uuid4(), reference=attempt.reference, amount_minor=attempt.amount_minor
    )
    assert rules() == {"our refunds are the provider's"}

    call_command("after_restore", "--apply")
    work()

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert Refund.objects.get().status == "succeeded"
    assert [charge["amount_refunded"] for charge in ledger()] == [attempt.amount_minor]
    assert rules() == set()


def test_an_order_whose_refund_is_not_forgotten_is_left_alone(provider, ledger):
    order, _ = placed_order()
    payments.advance_payment()
    payments.advance_payment()
    refunds.refund_order(order_id=order.pk, amount=order.grand_total, reason="It is on us.")
    refunds.advance_refund()
    assert [charge["amount_refunded"] for charge in ledger()] == [order.grand_total_minor]

    call_command("after_restore", "--apply")

    order.refresh_from_db()
    assert order.status == "paid"
    assert Refund.objects.get().status == "succeeded"
    assert rules() == set()


def test_an_order_whose_last_money_was_refunded_in_the_lost_time_is_cancelled_again(
    provider, ledger
):
    cart, holder = ready_cart(customer_id=UserFactory().pk)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    order = Order.objects.get(pk=placed.whole.order.pk)
    payments.advance_payment()
    payments.advance_payment()
    refunds.refund_order(
        order_id=order.pk, amount=Money(400, "USD"), reason="Late.", to_store_credit=True
    )
    rest = order.grand_total_minor - 400
    gateway_for("stripe").refund(
        refund_id=uuid4(), reference=order.attempts.get().reference, amount_minor=rest
    )

    call_command("after_restore", "--apply")

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert Refund.objects.get().amount_minor == rest
    assert rules() == set()


def test_a_payment_that_is_older_than_the_providers_keys_is_looked_up_not_repeated(
    provider, ledger, work
):
    """Restored to two days ago, an attempt is due again; its key is forgotten by now."""
    order, _ = placed_order()
    attempt = order.attempts.get()
    paid = gateway_for("stripe").authorise(
        attempt_id=attempt.pk,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        method="pm_card_visa",
        description="",
        return_url="https://shop.example.com",
        metadata={"order_id": str(order.pk)},
    )
    PaymentAttempt.objects.update(created_at=Now() - timedelta(days=2))

    work()

    attempt.refresh_from_db()
    assert (attempt.reference, attempt.status) == (paid.reference, "captured")
    assert len(ledger()) == 1


def test_sessions_end_numbers_are_skipped_and_the_cache_is_emptied(known):
    session = SessionFactory()
    StaffSession.objects.create(
        session_key="k" * 32, session_data="", expire_date=timezone.now() + timedelta(days=1)
    )
    cache.set("old", "newer than the database")

    call_command("after_restore", "--apply")

    session.refresh_from_db()
    assert session.revoked_reason == "database_restored"
    assert not StaffSession.objects.exists()
    assert cache.get("old") is None
    order, _ = placed_order()
    assert order.number > known.number + 10_000


def test_without_apply_nothing_is_changed(known, capsys):
    reference = forgotten_payment()
    session = SessionFactory()

    call_command("after_restore")

    assert f"forgotten: {reference} captured 12.50 USD" in capsys.readouterr().out
    assert not StrayPayment.objects.exists()
    session.refresh_from_db()
    assert session.revoked_at is None


def test_more_forgotten_payments_than_expected_stop_everything(known):
    forgotten_payment()
    forgotten_payment()

    with pytest.raises(CommandError, match="2 forgotten payments are more than --at-most 1"):
        call_command("after_restore", "--apply", "--at-most", "1")

    assert not StrayPayment.objects.exists()


def test_a_database_that_contradicts_itself_is_not_opened(known):
    Order.objects.filter(pk=known.pk).update(items_minor=1, grand_total_minor=1, shipping_minor=0)

    with pytest.raises(CommandError, match="violations; nothing was changed"):
        call_command("after_restore", "--apply")


def test_a_database_without_payments_needs_to_be_told_where_to_begin(provider):
    forgotten_payment()
    with pytest.raises(CommandError, match="say with --since"):
        call_command("after_restore", "--apply")

    call_command(
        "after_restore", "--apply", "--since", (timezone.now() - timedelta(hours=1)).isoformat()
    )

    assert StrayPayment.objects.count() == 1


def test_a_provider_that_does_not_answer_stops_everything(known, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"

    with pytest.raises(CommandError, match="does not answer"):
        call_command("after_restore", "--apply")
