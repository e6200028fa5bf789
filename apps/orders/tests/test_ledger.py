"""The money ledger: what is posted, that it balances, that it is written once and proved."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.money import Money
from apps.orders.models import (
    LedgerEntry,
    LedgerPosting,
    Order,
    PaymentAttempt,
    PaymentFee,
    Refund,
    StrayPayment,
)
from apps.orders.payments import gateway_for
from apps.orders.selectors.ledger import balances_of, refundable_minor, trial_balance
from apps.orders.selectors.orders import STORE
from apps.orders.services import fees, orders, payments, refunds
from apps.orders.services import ledger as books
from apps.orders.services.checkout import PaymentChoice
from apps.orders.services.invariants import Rule, ledger_violations, violations
from apps.orders.tests.factories import (
    THREE_D_SECURE,
    completed_order,
    placed_order,
    tax_rate,
    tax_zone,
)

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)

# 2.9 % of 15.00, half a cent rounded up, and 0.30: kept also of what goes back.
FEE = 74
SLOW_REFUND = PaymentChoice(provider="stripe", method="pm_card_pendingRefund")


def taxed(order: Order) -> None:
    """Give the unpaid order a discount and tax, so that each account has something."""
    with pgtrigger.ignore():
        Order.objects.filter(pk=order.pk).update(discount_minor=200, tax_minor=200)
    order.refresh_from_db()


def paid_order(*, with_tax: bool = False, **options) -> Order:
    order, _ = placed_order(**options)
    if with_tax:
        taxed(order)
    payments.advance_payment()
    payments.advance_payment()
    order.refresh_from_db()
    assert order.status == "paid"
    return order


def held(order: Order) -> dict[str, int]:
    """Return what the accounts hold of an order, without those that hold nothing."""
    return {account: minor for account, minor in balances_of(order.pk).items() if minor}


def kinds(source) -> list[str]:
    postings = LedgerPosting.objects.filter(source_id=source.pk).order_by("id")
    return list(postings.values_list("kind", flat=True))


def give_back(order: Order, minor: int) -> Refund:
    given = refunds.refund_order(
        order_id=order.pk, amount=Money(minor, order.currency), reason="A scratch."
    )
    assert given.payment
    return given.payment


def drain(advance: Callable[[], bool]) -> None:
    while advance():
        pass


def forgotten_by_the_ledger() -> None:
    """Make a store as it was before there was a ledger: its fees are only asked for."""
    with pgtrigger.ignore():
        LedgerEntry.objects.all().delete()
        LedgerPosting.objects.all().delete()
        PaymentFee.objects.update(amount_minor=None, currency="", next_action_at=Now())


def test_a_payment_is_set_aside_first_and_sold_when_it_is_captured(provider):
    order, _ = placed_order()
    taxed(order)

    payments.advance_payment()

    total = order.grand_total_minor
    assert held(order) == {"authorised": total, "authorisations": -total}
    payments.advance_payment()
    assert held(order) == {
        "stripe": total - FEE,
        "fees": FEE,
        "sales": -order.items_minor,
        "discounts": 200,
        "shipping": -order.shipping_minor,
        "tax": -200,
    }
    assert kinds(order.attempts.get()) == ["authorisation", "capture", "fee"]
    assert refundable_minor(order.pk) == total
    assert list(ledger_violations()) == []


@pytest.mark.usefixtures("standard_class")
def test_of_prices_with_tax_only_the_rest_is_earned(provider):
    tax_rate(tax_zone("US", prices_include_tax=True), "25")

    order = paid_order()

    # A lamp of 10.00 with 2.00 of tax in it, and a parcel of 5.00 with 1.00.
    assert order.grand_total_minor == 1500
    assert held(order) == {
        "stripe": 1500 - FEE,
        "fees": FEE,
        "sales": -800,
        "shipping": -400,
        "tax": -300,
    }


def test_what_was_set_aside_for_a_cancelled_order_is_free_again(provider, work):
    order, holder = placed_order()
    payments.advance_payment()
    orders.cancel_order(holder=holder, order_id=order.pk)

    work()

    assert held(order) == {}
    assert kinds(order.attempts.get()) == ["authorisation", "void"]


def test_tax_in_the_prices_is_neither_sale_nor_shipping(provider):
    tax_rate(tax_zone("US", prices_include_tax=True), "25")

    order = paid_order()

    assert (order.grand_total_minor, order.tax_included_minor) == (1500, 300)
    at_stripe = {"stripe": 1426, "fees": 74}
    assert held(order) == {**at_stripe, "sales": -800, "shipping": -400, "tax": -300}
    give_back(order, 500)
    assert held(order) == {
        **at_stripe,
        "refunds_payable": -500,
        "sales": -800,
        "shipping": -400,
        "refunds": 400,
        "tax": -200,
    }
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_tax_on_top_is_neither_sale_nor_shipping(provider):
    tax_rate(tax_zone("US"), "10")

    order = paid_order()

    earned = {"sales": -1000, "shipping": -500, "tax": -150}
    assert held(order) == {"stripe": 1572, "fees": 78, **earned}
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_a_payment_that_was_never_set_aside_is_not_freed(provider, work):
    order, holder = placed_order(payment=THREE_D_SECURE)
    payments.advance_payment()
    orders.cancel_order(holder=holder, order_id=order.pk)

    work()

    assert order.attempts.get().status == "voided"
    assert not LedgerPosting.objects.exists()


def test_money_for_a_cancelled_order_is_owed_back_and_no_sale(provider):
    order, holder = placed_order()
    payments.advance_payment()
    PaymentAttempt.objects.update(status="capture_in_flight", next_action_at=Now())
    orders.cancel_order(holder=holder, order_id=order.pk)

    payments.advance_payment()

    total = order.grand_total_minor
    kept = {"stripe": -FEE, "fees": FEE}
    assert held(order) == kept | {"stripe": total - FEE, "refunds_payable": -total}
    assert refundable_minor(order.pk) == 0
    drain(refunds.advance_refund)
    assert held(order) == kept
    assert list(violations()) == []


def test_a_part_goes_back_of_goods_and_tax_in_proportion(provider):
    order = paid_order(with_tax=True)

    refund = give_back(order, 333)

    total = order.grand_total_minor
    of_tax = round(333 * 200 / total)
    assert held(order) == {
        "stripe": total - FEE,
        "fees": FEE,
        "sales": -order.items_minor,
        "discounts": 200,
        "shipping": -order.shipping_minor,
        "refunds": 333 - of_tax,
        "tax": of_tax - 200,
        "refunds_payable": -333,
    }
    drain(refunds.advance_refund)
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert kinds(refund) == ["refund_promise", "refund"]
    assert balances_of(order.pk)["refunds_payable"] == 0
    assert balances_of(order.pk)["stripe"] == total - FEE - 333


def test_after_the_last_part_no_revenue_and_no_tax_is_left(provider):
    order = paid_order(with_tax=True)
    for minor in (1, 333, 7):
        give_back(order, minor)
    orders.cancel_order(holder=STORE, order_id=order.pk)

    drain(refunds.advance_refund)

    last = order.grand_total_minor - 341
    assert sorted(Refund.objects.values_list("amount_minor", flat=True)) == [1, 7, 333, last]
    now = balances_of(order.pk)
    assert (now["stripe"], now["tax"], now["refunds_payable"]) == (-FEE, 0, 0)
    assert sum(now[account] for account in books.REVENUE) == 0
    assert list(ledger_violations()) == []


def test_a_refund_that_fails_takes_its_promise_back(provider, ledger):
    order = paid_order()
    attempt = order.attempts.get()
    before = held(order)
    # Somebody gives nearly all back in the provider's own back office.
    gateway_for("stripe").refund(
        refund_id=new_id(),
        reference=attempt.reference,
        amount_minor=order.grand_total_minor - 10,
    )
    refund = give_back(order, order.grand_total_minor)
    assert refundable_minor(order.pk) == 0

    drain(refunds.advance_refund)

    refund.refresh_from_db()
    attempt.refresh_from_db()
    assert refund.status == "failed"
    assert kinds(refund) == ["refund_promise", "refund_failure"]
    assert held(order) == before
    assert attempt.refund_promised_minor == 0
    assert refundable_minor(order.pk) == order.grand_total_minor


def test_state_and_posting_are_one_transaction(provider):
    order = paid_order()
    refund = give_back(order, 100)

    with transaction.atomic():
        Refund.objects.filter(pk=refund.pk).update(status="in_flight")
        refunds._settle(refund, refunds.RefundStatus.SUCCEEDED)
        transaction.set_rollback(True)

    refund.refresh_from_db()
    assert (refund.status, kinds(refund)) == ("created", ["refund_promise"])


def test_a_worker_that_dies_after_the_call_leaves_one_refund_and_one_posting(provider, ledger):
    order = paid_order()
    refund = give_back(order, 400)
    attempt = order.attempts.get()
    Refund.objects.update(status="in_flight", lease_until=Now() + timedelta(seconds=30))
    gateway_for("stripe").refund(refund_id=refund.pk, reference=attempt.reference, amount_minor=400)
    assert not refunds.advance_refund()
    Refund.objects.update(lease_until=Now() - timedelta(seconds=1))

    drain(refunds.advance_refund)

    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert kinds(refund) == ["refund_promise", "refund"]
    assert [charge["amount_refunded"] for charge in ledger()] == [400]
    assert list(violations()) == []


def test_a_refund_whose_key_may_be_forgotten_is_looked_up_and_not_sent_again(provider, ledger):
    order = paid_order()
    refund = give_back(order, 400)
    # Under another key: the provider knows the refund, and no longer its key.
    made = httpx.post(
        f"{provider.url}/v1/refunds",
        data={
            "payment_intent": order.attempts.get().reference,
            "amount": "400",
            "metadata[refund_id]": str(refund.pk),
        },
        headers={"Authorization": f"Bearer {provider.secret_key}"},
    ).raise_for_status()
    Refund.objects.update(created_at=Now() - timedelta(days=2), status="in_flight")

    drain(refunds.advance_refund)

    refund.refresh_from_db()
    assert (refund.status, refund.reference) == ("succeeded", made.json()["id"])
    assert [charge["amount_refunded"] for charge in ledger()] == [400]


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_refund_that_takes_its_time_is_asked_about_until_it_has_ended(provider, ledger, outcome):
    order = paid_order(payment=SLOW_REFUND)
    refund = give_back(order, 400)
    drain(refunds.advance_refund)
    refund.refresh_from_db()
    assert (refund.status, kinds(refund)) == ("in_flight", ["refund_promise"])
    settled = {"id": refund.reference, "outcome": outcome}
    httpx.post(f"{provider.url}/_sandbox/settle", json=settled).raise_for_status()
    Refund.objects.update(next_action_at=Now())

    drain(refunds.advance_refund)

    refund.refresh_from_db()
    assert refund.status == outcome
    back = 400 if outcome == "succeeded" else 0
    assert [charge["amount_refunded"] for charge in ledger()] == [back]
    assert refundable_minor(order.pk) == order.grand_total_minor - back
    assert list(violations()) == []


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("stripe", 100, "USD"), ("sales", -99, "USD")],
        [("stripe", 1, "USD"), ("sales", -1, "EUR")],
    ],
    ids=["nothing", "a cent short", "two currencies"],
)
def test_a_posting_that_does_not_balance_is_refused(entries):
    def post() -> None:
        with transaction.atomic():
            posting = LedgerPosting(kind="capture", source_id=new_id(), at=timezone.now())
            posting.save(force_insert=True)
            for account, minor, currency in entries:
                posting.entries.create(account=account, amount_minor=minor, currency=currency)

    with pytest.raises(IntegrityError, match="ledger_posting_is_in_balance"):
        post()

    assert not LedgerPosting.objects.exists()


def test_what_is_posted_is_neither_changed_nor_deleted_nor_added_to(provider):
    paid_order()
    entry, posting = LedgerEntry.objects.all()[0], LedgerPosting.objects.all()[0]

    for forbidden in (
        lambda: LedgerEntry.objects.filter(pk=entry.pk).update(amount_minor=1),
        lambda: LedgerPosting.objects.filter(pk=posting.pk).update(kind="void"),
        lambda: LedgerEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
            forbidden()
    with (
        pytest.raises(IntegrityError, match="ledger_posting_is_in_balance"),
        transaction.atomic(),
    ):
        entry.posting.entries.create(account="refunds", amount_minor=5, currency="USD")


def test_one_source_is_posted_once_a_kind(provider):
    order = paid_order()
    attempt = order.attempts.get()
    before = LedgerEntry.objects.count()

    books.post_capture(order, attempt, sold=True)
    books.post_authorisation(attempt)

    assert LedgerEntry.objects.count() == before


def test_the_database_refuses_more_refunds_than_were_captured(provider):
    order = paid_order()
    attempt = order.attempts.get()
    refund = {"attempt": attempt, "currency": "USD", "status": "succeeded"}
    Refund.objects.create(amount_minor=attempt.amount_minor - 1, **refund)

    with pytest.raises(IntegrityError, match="attempt_refunds_are_at_most_what_was_captured"):
        Refund.objects.create(amount_minor=2, **refund)

    attempt.refresh_from_db()
    assert attempt.refund_promised_minor == attempt.amount_minor - 1


def test_the_database_refuses_a_refund_of_what_was_not_captured():
    order, _ = placed_order()

    with pytest.raises(IntegrityError, match="attempt_refunds_are_at_most_what_was_captured"):
        Refund.objects.create(
            attempt=order.attempts.get(), amount_minor=1, currency="USD", status="succeeded"
        )


def test_a_store_older_than_its_ledger_gets_a_complete_one(provider, ledger):
    variant = VariantFactory(stock=50)
    whole, part, open_ = (paid_order(with_tax=True, quantities={variant.pk: 1}) for _ in range(3))
    orders.cancel_order(holder=STORE, order_id=whole.pk)
    give_back(part, 123)
    drain(refunds.advance_refund)
    give_back(open_, 77)
    placed_order({variant.pk: 1})
    payments.advance_payment()
    before = [(row.account, row.balance_minor) for row in trial_balance()]
    forgotten_by_the_ledger()
    assert {each.rule for each in ledger_violations()} == {Rule.LEDGER}

    call_command("ledger", "backfill")
    drain(fees.advance_fee)

    assert list(ledger_violations()) == []
    assert refundable_minor(part.pk) == part.grand_total_minor - 123
    assert balances_of(open_.pk)["refunds_payable"] == -77
    now = [(row.account, row.balance_minor) for row in trial_balance()]
    assert sorted(now) == sorted(before)
    count = LedgerPosting.objects.count()
    call_command("ledger", "backfill")
    assert LedgerPosting.objects.count() == count


def test_what_is_backfilled_happened_then(provider):
    order = paid_order()
    paid_at = order.history.get(to_status="paid").at
    forgotten_by_the_ledger()

    call_command("ledger", "backfill")

    assert LedgerPosting.objects.get(kind="capture").at == paid_at
    assert trial_balance(at=paid_at - timedelta(hours=1)) == []
    assert sum(each.balance_minor for each in trial_balance()) == 0


def test_an_order_older_than_the_ledger_can_be_refunded_before_the_backfill(provider):
    order = paid_order()
    forgotten_by_the_ledger()

    give_back(order, 100)

    assert refundable_minor(order.pk) == order.grand_total_minor - 100
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_verify_is_silent_about_a_right_ledger_and_names_each_difference(provider, capsys):
    order = paid_order()
    give_back(order, 100)
    drain(refunds.advance_refund)
    call_command("ledger", "verify")
    assert "agrees" in capsys.readouterr().out
    with pgtrigger.ignore():
        LedgerEntry.objects.filter(account="stripe", amount_minor=-100).update(amount_minor=-99)

    with pytest.raises(CommandError, match="2 differences"):
        call_command("ledger", "verify", "--without-provider")

    told = capsys.readouterr().err.splitlines()
    total = order.grand_total_minor
    assert told[0] == (
        f"{Rule.LEDGER}: {order} money at providers: {total - 99} posted, not {total - 100}"
    )
    assert told[1].startswith(f"{Rule.BALANCED}: posting ")


def test_verify_sees_what_only_the_provider_knows(provider, capsys):
    order = paid_order()
    gateway_for("stripe").refund(
        refund_id=new_id(), reference=order.attempts.get().reference, amount_minor=5
    )

    with pytest.raises(CommandError, match="1 differences"):
        call_command("ledger", "verify")

    assert "our refunds are the provider's" in capsys.readouterr().err
    call_command("ledger", "verify", "--without-provider")


def test_a_refund_counted_wrongly_breaks_a_rule(provider):
    order = paid_order()
    give_back(order, 100)
    PaymentAttempt.objects.update(refund_promised_minor=99)

    assert [each.rule for each in violations(ask_providers=False)] == [Rule.REFUNDED]


def test_a_cancelled_order_of_which_a_part_is_not_promised_back_breaks_a_rule(provider):
    order = paid_order()
    give_back(order, 100)
    with pgtrigger.ignore():
        Order.objects.filter(pk=order.pk).update(status="cancelled")

    found = {each.rule for each in violations(ask_providers=False)}

    assert Rule.GIVEN_BACK in found


def test_a_finished_order_has_its_money_posted():
    order, _ = completed_order()

    assert balances_of(order.pk)["stripe"] == order.grand_total_minor - 1
    assert refundable_minor(order.pk) == order.grand_total_minor - 1


def test_a_stray_payment_comes_and_goes_without_an_order(provider, work):
    attempt_id, gateway = new_id(), gateway_for("stripe")
    state = gateway.authorise(
        attempt_id=attempt_id,
        amount_minor=1250,
        currency="USD",
        method="pm_card_visa",
        description="Order 1",
        return_url="https://shop.example.com",
        metadata={},
    )
    gateway.capture(attempt_id=attempt_id, reference=state.reference, amount_minor=1250)
    stray = StrayPayment.objects.create(
        provider="stripe",
        reference=state.reference,
        attempt_id=attempt_id,
        amount_minor=1250,
        currency="USD",
        next_action_at=Now(),
    )

    work()

    # 2.9 % of 12.50, rounded, and 0.30.
    assert {row.account: row.balance_minor for row in trial_balance()} == {
        "stripe": 1250 - 66,
        "fees": 66,
        "refunds_payable": -1250,
    }
    StrayPayment.objects.update(next_action_at=Now())
    work()
    assert sorted(kinds(stray)) == ["capture", "fee", "refund"]
    assert {row.account: row.balance_minor for row in trial_balance()} == {
        "stripe": -66,
        "fees": 66,
        "refunds_payable": 0,
    }


def test_a_refund_that_a_restored_database_forgot_is_written_down_again(provider, ledger):
    order = paid_order()
    attempt = order.attempts.get()
    gateway_for("stripe").refund(refund_id=new_id(), reference=attempt.reference, amount_minor=150)

    for _ in range(2):
        call_command("after_restore", "--apply")

    refund = Refund.objects.get()
    order.refresh_from_db()
    assert (refund.amount_minor, refund.status, order.status) == (150, "succeeded", "paid")
    assert refundable_minor(order.pk) == order.grand_total_minor - 150
    assert list(violations()) == []
    assert [charge["amount_refunded"] for charge in ledger()] == [150]
