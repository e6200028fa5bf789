"""What the payment provider keeps: learnt with the capture or later, posted once, and proved."""

import time
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import httpx
import pgtrigger
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models.functions import Now
from django.urls import reverse

from apps.orders.models import (
    LedgerEntry,
    LedgerPosting,
    Order,
    PaymentAttempt,
    PaymentFee,
    WebhookEvent,
)
from apps.orders.payments import gateway_for
from apps.orders.payments.gateway import Fee, PaymentState
from apps.orders.selectors.ledger import refundable_minor, trial_balance
from apps.orders.selectors.orders import STORE
from apps.orders.services import fees, orders, payments
from apps.orders.services.invariants import Rule, ledger_violations, violations
from apps.orders.tests.factories import completed_order, pay, placed_order
from apps.orders.tests.test_ledger import held, paid_order
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import StaffFactory, enter

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)

# 2.9 % of 15.00, half a cent rounded up, and 0.30.
FEE = Fee(74, "USD")


def fees_come_late(provider: Any, milliseconds: int) -> None:
    """Let the provider know fees only some time after the capture, up to the next second."""
    plan = {"fee_delay_ms": milliseconds}
    httpx.post(f"{provider.url}/_sandbox/faults", json=plan).raise_for_status()


def told(order: Order) -> Fee | None:
    fee = PaymentFee.objects.get(attempt__order=order)
    return None if fee.amount_minor is None else Fee(fee.amount_minor, fee.currency)


def fee_entries(order: Order) -> list[tuple[str, int, str]]:
    rows = LedgerEntry.objects.filter(order=order, posting__kind="fee").order_by("account")
    return list(rows.values_list("account", "amount_minor", "currency"))


def state_of(order: Order) -> PaymentState:
    return gateway_for("stripe").fetch(reference=order.attempts.get().reference)


def calls_of(monkeypatch) -> list[str]:
    """Count what is asked of the provider from now on."""
    asked: list[str] = []
    gateway = type(gateway_for("stripe"))
    for name in ("authorise", "capture", "fetch", "states"):
        original = getattr(gateway, name)

        def counted(self, *args, name=name, original=original, **options):
            asked.append(name)
            return original(self, *args, **options)

        monkeypatch.setattr(gateway, name, counted)
    return asked


def due(order: Order) -> None:
    PaymentFee.objects.filter(attempt__order=order).update(next_action_at=Now(), lease_until=None)


def test_the_answer_to_the_capture_tells_the_fee_without_a_further_call(provider, monkeypatch):
    asked = calls_of(monkeypatch)

    order = paid_order()

    assert asked == ["authorise", "capture"]
    assert told(order) == FEE
    assert fee_entries(order) == [("fees", 74, "USD"), ("stripe", -74, "USD")]
    assert not fees.advance_fee()
    assert list(violations()) == []


def test_a_fee_that_is_late_is_asked_for_and_posted_later(provider):
    fees_come_late(provider, 1000)
    order = paid_order()
    fee = PaymentFee.objects.get()
    assert (told(order), fee_entries(order)) == (None, [])
    wait = fee.next_action_at - fee.created_at
    assert timedelta(seconds=55) < wait < timedelta(seconds=65)
    assert not fees.advance_fee()
    time.sleep(2)
    assert list(violations()) == []
    due(order)

    assert fees.advance_fee()

    assert told(order) == FEE
    assert fee_entries(order) == [("fees", 74, "USD"), ("stripe", -74, "USD")]
    assert PaymentFee.objects.get().next_action_at is None
    assert not fees.advance_fee()
    assert list(violations()) == []


def test_a_fee_that_is_not_known_yet_is_asked_for_again(provider):
    fees_come_late(provider, 600_000)
    order = paid_order()
    due(order)

    assert fees.advance_fee()

    assert (told(order), fee_entries(order)) == (None, [])
    assert not fees.advance_fee()
    assert list(violations()) == []


def test_a_worker_that_dies_with_the_answer_to_the_capture_leaves_one_fee(provider):
    order, _ = placed_order()
    payments.advance_payment()
    attempt = order.attempts.get()
    PaymentAttempt.objects.update(status="capture_in_flight", next_action_at=Now())
    gateway_for("stripe").capture(
        attempt_id=attempt.pk,
        reference=attempt.reference,
        amount_minor=attempt.amount_minor,
    )
    assert not PaymentFee.objects.exists()

    payments.advance_payment()

    assert told(order) == FEE
    assert fee_entries(order) == [("fees", 74, "USD"), ("stripe", -74, "USD")]


def test_a_capture_by_the_release_before_is_not_repeated_and_its_fee_is_asked_for(provider):
    """It used another key and asked for no fee; what it began, this release ends."""
    order, _ = placed_order()
    payments.advance_payment()
    attempt = order.attempts.get()
    PaymentAttempt.objects.update(status="capture_in_flight", next_action_at=Now())
    httpx.post(
        f"{provider.url}/v1/payment_intents/{attempt.reference}/capture",
        data={"amount_to_capture": str(attempt.amount_minor), "expand[0]": "latest_charge"},
        headers={
            "Authorization": f"Bearer {provider.secret_key}",
            "Idempotency-Key": f"{attempt.pk}:capture",
        },
    ).raise_for_status()

    payments.advance_payment()

    order.refresh_from_db()
    assert (order.status, told(order)) == ("paid", None)
    due(order)
    fees.advance_fee()
    assert told(order) == FEE
    assert list(violations()) == []


def test_capture_status_and_fee_are_one_transaction(provider):
    order, _ = placed_order()
    payments.advance_payment()
    attempt = order.attempts.get()
    state = gateway_for("stripe").capture(
        attempt_id=attempt.pk, reference=attempt.reference, amount_minor=attempt.amount_minor
    )

    with transaction.atomic():
        assert payments.settle(attempt.pk, state)
        assert told(order) == FEE
        transaction.set_rollback(True)

    assert not PaymentFee.objects.exists()
    assert fee_entries(order) == []


def test_a_fee_in_another_currency_is_posted_in_its_own(provider):
    order = pay_with(Fee(65, "EUR"))

    assert fee_entries(order) == [("fees", 65, "EUR"), ("stripe", -65, "EUR")]
    books = {(row.account, row.currency): row.balance_minor for row in trial_balance()}
    assert books["stripe", "USD"] == order.grand_total_minor
    assert (books["stripe", "EUR"], books["fees", "EUR"]) == (-65, 65)
    assert refundable_minor(order.pk) == order.grand_total_minor
    assert list(violations(ask_providers=False, workers_run=False)) == []


def pay_with(fee: Fee | None) -> Order:
    """Return an order whose money has come, as if the provider had told so."""
    order, _ = placed_order()
    payments.advance_payment()
    attempt = order.attempts.get()
    state = gateway_for("stripe").capture(
        attempt_id=attempt.pk, reference=attempt.reference, amount_minor=attempt.amount_minor
    )
    payments.settle(attempt.pk, replace(state, fee=fee))
    return order


def test_a_fee_of_nothing_is_known_and_posts_nothing(provider):
    order = pay_with(Fee(0, "USD"))

    assert (told(order), fee_entries(order)) == (Fee(0, "USD"), [])
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_a_fee_that_comes_after_the_capture_is_learnt_from_whatever_tells_it(provider):
    order = pay_with(None)
    assert told(order) is None

    assert not payments.settle(order.attempts.get().pk, state_of(order))

    assert told(order) == FEE
    assert fee_entries(order) == [("fees", 74, "USD"), ("stripe", -74, "USD")]


def test_what_was_told_first_stays(provider):
    order = pay_with(FEE)

    payments.settle(order.attempts.get().pk, replace(state_of(order), fee=Fee(99, "USD")))

    assert told(order) == FEE
    assert fee_entries(order) == [("fees", 74, "USD"), ("stripe", -74, "USD")]


def test_the_fee_of_a_payment_that_is_not_captured_is_not_posted(provider):
    order, _ = placed_order()
    payments.advance_payment()
    attempt = order.attempts.get()

    payments.settle(attempt.pk, replace(state_of(order), fee=FEE))

    assert not PaymentFee.objects.exists()
    assert fee_entries(order) == []


def test_a_refund_does_not_give_the_fee_back(provider, work):
    order = paid_order()

    orders.cancel_order(holder=STORE, order_id=order.pk)
    work()

    after = held(order)
    assert (after["stripe"], after["fees"]) == (-74, 74)
    assert state_of(order).fee == FEE
    assert list(violations()) == []


def test_late_money_that_goes_back_costs_its_fee(provider, work):
    order, holder = placed_order()
    payments.advance_payment()
    PaymentAttempt.objects.update(status="capture_in_flight", next_action_at=Now())
    orders.cancel_order(holder=holder, order_id=order.pk)

    work()

    assert held(order) == {"stripe": -74, "fees": 74}
    assert list(violations()) == []


def test_two_workers_and_a_webhook_that_learn_it_at_once_post_it_once(provider):
    for _ in range(5):
        order = pay_with(None)
        attempt = order.attempts.get()
        state = state_of(order)
        due(order)
        WebhookEvent.objects.create(
            provider="stripe",
            event_id=f"evt_{order.pk.hex}",
            type="payment_intent.succeeded",
            reference=attempt.reference,
            payload={},
            next_action_at=Now(),
        )

        at_once(
            [
                fees.advance_fee,
                payments.process_webhook,
                *[lambda pk=attempt.pk, state=state: payments.settle(pk, state)] * 4,
            ]
        )

        assert told(order) == FEE
        assert fee_entries(order) == [("fees", 74, "USD"), ("stripe", -74, "USD")]
        assert LedgerPosting.objects.filter(source_id=attempt.pk, kind="fee").count() == 1
    assert list(violations()) == []


def test_captures_that_are_settled_at_once_post_one_fee(provider):
    for _ in range(5):
        order, _ = placed_order()
        payments.advance_payment()
        attempt = order.attempts.get()
        state = gateway_for("stripe").capture(
            attempt_id=attempt.pk, reference=attempt.reference, amount_minor=attempt.amount_minor
        )

        at_once([lambda pk=attempt.pk, state=state: payments.settle(pk, state)] * 6)

        assert fee_entries(order) == [("fees", 74, "USD"), ("stripe", -74, "USD")]
    assert list(violations()) == []


def test_a_provider_that_does_not_tell_is_asked_more_and_more_seldom(provider):
    order, _ = placed_order()
    pay(order)  # the provider has never heard of it
    waits = []
    for _ in range(12):
        due(order)
        assert fees.advance_fee()
        with connection.cursor() as cursor:
            cursor.execute("SELECT next_action_at - now() FROM orders_paymentfee")
            [(wait,)] = cursor.fetchall()
        waits.append(round(wait.total_seconds() / 60))

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 720, 720, 720]
    assert [each.rule for each in violations(ask_providers=False)] == [Rule.FEES]


def test_the_database_keeps_one_fee_a_payment_told_or_asked_for(provider):
    order = paid_order()
    fee = PaymentFee.objects.get()

    with pytest.raises(IntegrityError, match="payment_fee_once_a_payment"), transaction.atomic():
        PaymentFee.objects.create(attempt=fee.attempt, next_action_at=Now())
    for forbidden in (
        lambda: PaymentFee.objects.update(amount_minor=1),
        lambda: PaymentFee.objects.update(amount_minor=None, currency="", next_action_at=Now()),
        lambda: PaymentFee.objects.all().delete(),
    ):
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            forbidden()
    other = pay_with(None)
    asked_for = PaymentFee.objects.filter(attempt__order=other)
    for wrong in (
        {"next_action_at": None},
        {"amount_minor": 1, "next_action_at": None},
        {"amount_minor": 1, "currency": "USD"},
        {"currency": "USD"},
    ):
        refused = pytest.raises(IntegrityError, match="payment_fee_is_told_or_asked_for")
        with refused, transaction.atomic():
            asked_for.update(**wrong)
    assert told(order) == FEE


@pytest.mark.parametrize("harm", ["posting", "amount", "currency", "row", "unknown"])
def test_verify_names_a_fee_that_the_ledger_has_otherwise(provider, harm, capsys):
    order = paid_order()
    with pgtrigger.ignore():
        if harm == "posting":
            LedgerEntry.objects.filter(posting__kind="fee").delete()
        elif harm == "amount":
            LedgerEntry.objects.filter(account="fees").update(amount_minor=75)
            LedgerEntry.objects.filter(posting__kind="fee", account="stripe").update(
                amount_minor=-75
            )
        elif harm == "currency":
            LedgerEntry.objects.filter(posting__kind="fee").update(currency="EUR")
        elif harm == "row":
            PaymentFee.objects.all().delete()
        else:
            PaymentFee.objects.update(amount_minor=None, currency="", next_action_at=Now())

    with pytest.raises(CommandError, match="1 differences"):
        call_command("ledger", "verify", "--without-provider")

    attempt = order.attempts.get()
    assert capsys.readouterr().err.startswith(f"{Rule.FEES}: payment {attempt.pk} ")


def test_verify_compares_with_the_fee_that_the_provider_tells(provider):
    order = pay_with(Fee(70, "USD"))

    [found] = ledger_violations()

    assert (found.rule, found.subject) == (
        "our fees are the provider's",
        str(order.attempts.get().pk),
    )
    assert list(ledger_violations(ask_providers=False)) == []


def test_fees_of_payments_from_before_the_upgrade_are_asked_for_one_a_second(provider):
    migration = import_module("apps.orders.migrations.0040_ask_for_fees_of_before")
    some = [pay_with(FEE) for _ in range(3)]
    placed_order()
    with pgtrigger.ignore():
        LedgerEntry.objects.filter(posting__kind="fee").delete()
        LedgerPosting.objects.filter(kind="fee").delete()
        PaymentFee.objects.all().delete()
    assert {each.rule for each in ledger_violations()} == {Rule.FEES}

    for _ in range(2):
        with connection.schema_editor(atomic=False) as editor:
            migration.ask(apps, editor)

    times = sorted(PaymentFee.objects.values_list("next_action_at", flat=True))
    assert [(at - times[0]).total_seconds() for at in times] == [0, 1, 2]
    assert list(ledger_violations()) == []
    for order in some:
        due(order)
        fees.advance_fee()
    assert [told(order) for order in some] == [FEE] * 3
    assert list(violations()) == []


def test_what_was_never_at_a_provider_has_no_fee():
    order, _ = completed_order()
    with pgtrigger.ignore():
        PaymentFee.objects.all().delete()

    PaymentAttempt.objects.filter(order=order).update(reference="")

    assert list(ledger_violations(ask_providers=False)) == []


def test_finance_sees_fees_and_their_account(provider, client):
    order = paid_order()
    enter(client, StaffFactory(is_superuser=True))

    rows = client.get(reverse("admin:orders_paymentfee_changelist")).content.decode()
    balances: Any = client.get(reverse("admin:orders_ledgerposting_balances")).content.decode()

    assert str(order.attempts.get().pk) in rows
    assert "kept by payment providers for themselves" in balances
    assert "0.74" in balances
