"""Credit notes of what goes back to gift cards and store credit: once, exact, without a gap."""

from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace

import pgtrigger
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.kernel.errors import VersionMismatch
from apps.kernel.money import Money
from apps.orders.models import BillingDocument, ValueMovement
from apps.orders.selectors.ledger import balances_of
from apps.orders.selectors.refunds import refunds_of
from apps.orders.services import orders, refunds
from apps.orders.services.invariants import Rule, violations
from apps.orders.states import OrderStatus
from apps.orders.tests.factories import gift_card, paid_order, tax_rate, tax_zone
from apps.orders.tests.test_documents import as_guest, write_all
from apps.orders.tests.test_races import at_once
from apps.orders.tests.test_stored_value import bought, charge, nothing_is_wrong
from apps.users.tests.factories import UserFactory

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)

YEAR = datetime.now(UTC).year
OWES = "orders.ValueMovement:value_given_back_owes_a_credit_note"


@pytest.fixture(autouse=True)
def main_location():
    StockLocationFactory()


def sold_on_cards(*minors, to_pay=0, **options):
    """Return an order that so many cards with so much on them pay, and who holds it."""
    codes = [gift_card(minor)[1] for minor in minors]
    return bought(*codes, to_pay=to_pay, **options)


def give_back(order, minor, **options):
    amount = Money(minor, order.currency)
    return refunds.refund_order(order_id=order.pk, amount=amount, reason="A scratch.", **options)


def notes_of(order):
    return list(order.billing_documents.filter(kind="credit_note").order_by("number"))


def broken():
    rules = {Rule.INVOICED, Rule.DOCUMENT_NUMBERS}
    return [each for each in violations(ask_providers=False) if each.rule in rules]


def test_what_goes_back_to_a_card_has_a_credit_note_once():
    tax_rate(tax_zone("US/IL"), "10", code="state", name="State tax")
    lamp = VariantFactory(price_minor=4000, stock=9)
    order, holder = sold_on_cards(9000, quantities={lamp.pk: 1})
    given = give_back(order, 1000)

    write_all()
    write_all()

    [note] = notes_of(order)
    invoice = order.billing_documents.get(kind="invoice")
    assert (note.status, note.shown_number) == ("stored", f"CN-{YEAR}-000001")
    assert (note.total_minor, note.movement_id) == (1000, given.movements[0].pk)
    assert note.content["invoice"] == invoice.shown_number
    tax = note.content["totals"]["tax"]
    assert tax == -(-1000 * order.tax_minor // order.grand_total_minor)
    assert note.content["totals"] == {"net": 1000 - tax, "tax": tax, "grand_total": 1000}
    shown = as_guest(holder).get(f"/api/v1/orders/{order.pk}/credit-notes").json()["results"]
    assert [each["refund_id"] for each in shown] == [str(given.id)]
    assert [each.id for each in refunds_of(order)] == [given.id]
    assert nothing_is_wrong()


def test_what_becomes_store_credit_has_a_credit_note():
    order, _ = paid_order(customer_id=UserFactory().pk)

    give_back(order, 700, to_store_credit=True)
    write_all()

    assert [(note.total_minor, note.refund_id) for note in notes_of(order)] == [(700, None)]
    assert broken() == []


def test_credit_notes_of_money_and_of_cards_add_up_to_the_invoice(provider, ledger, work):
    tax_rate(tax_zone("US/IL"), "7.25", code="state", name="State tax")
    lamp = VariantFactory(price_minor=1999, stock=9)
    codes = [gift_card(minor)[1] for minor in (700, 333)]
    order, _ = bought(*codes, to_pay=2680 - 1033, quantities={lamp.pk: 1})
    charge(order)
    for minor in (1000, 800, order.grand_total_minor - 1800):
        give_back(order, minor)
        work()
    write_all()

    notes = notes_of(order)

    invoice = order.billing_documents.get(kind="invoice")
    assert sorted(note.total_minor for note in notes) == [153, 333, 547, 647, 1000]
    assert [note.shown_number for note in notes] == [f"CN-{YEAR}-00000{n}" for n in range(1, 6)]
    assert sum(note.total_minor for note in notes) == invoice.total_minor
    [said] = invoice.content["taxes"]
    for column in ("net", "amount"):
        assert sum(note.content["taxes"][0][column] for note in notes) == said[column]
    assert nothing_is_wrong()


def test_an_order_that_is_cancelled_after_a_card_has_paid_has_a_credit_note_of_all_of_it():
    order, holder = sold_on_cards(9000)

    orders.cancel_order(order_id=order.pk, holder=holder, reason="")
    write_all()

    assert [note.total_minor for note in notes_of(order)] == [order.grand_total_minor]
    assert broken() == []


def test_what_an_unpaid_order_gives_back_needs_no_document():
    order, holder = sold_on_cards(500, to_pay=1000)

    orders.cancel_order(order_id=order.pk, holder=holder, reason="")

    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED
    assert ValueMovement.objects.filter(order=order, kind="give_back").count() == 1
    assert not BillingDocument.objects.exists()
    assert nothing_is_wrong()


def test_what_went_back_without_its_credit_note_breaks_the_rule():
    order, _ = sold_on_cards(9000)
    credited, _ = paid_order(customer_id=UserFactory().pk)
    with pgtrigger.ignore(OWES):
        give_back(order, 100)
        give_back(credited, 100, to_store_credit=True)

    assert {each.subject for each in broken()} == {str(order), str(credited)}
    assert {each.rule for each in broken()} == {Rule.INVOICED}


def test_a_movement_has_one_credit_note_and_a_credit_note_one_reason():
    order, _ = sold_on_cards(9000)
    [movement] = give_back(order, 100).movements
    due = {"order": order, "next_action_at": timezone.now()}

    with pytest.raises(IntegrityError, match="one_credit_note_a_movement"), transaction.atomic():
        BillingDocument.objects.create(kind="credit_note", movement=movement, **due)
    for kind, back in [("credit_note", None), ("invoice", movement)]:
        with (
            pytest.raises(IntegrityError, match="of_what_went_back_is_a_credit_note"),
            transaction.atomic(),
        ):
            BillingDocument.objects.create(kind=kind, movement=back, **due)


def test_who_does_not_know_credit_notes_of_balances_writes_none():
    order, _ = sold_on_cards(9000)
    write_all()
    give_back(order, 100)
    invoice = order.billing_documents.get(kind="invoice")

    with (
        pytest.raises(IntegrityError, match="credit_note_names_its_invoice"),
        transaction.atomic(),
    ):
        BillingDocument.objects.filter(kind="credit_note").update(
            status="issued",
            number=YEAR * 10**9 + 1,
            issued_at=timezone.now(),
            content=invoice.content,
            total_minor=invoice.total_minor,
            keep_until=invoice.keep_until,
        )


def test_refunds_to_a_card_at_once_have_a_credit_note_each():
    order, _ = sold_on_cards(1500)

    answers = at_once([lambda: give_back(order, 100)] * 20 + [write_all] * 2)
    write_all()

    done = [each for each in answers if not isinstance(each, Exception) and each is not None]
    notes = notes_of(order)
    assert len(done) == len(notes) == 15
    assert [note.shown_number for note in notes] == [f"CN-{YEAR}-{n:06}" for n in range(1, 16)]
    assert sum(note.total_minor for note in notes) == order.grand_total_minor == 1500
    assert nothing_is_wrong()


def test_what_went_back_before_the_upgrade_is_owed_once():
    order, _ = sold_on_cards(9000)
    unpaid, holder = sold_on_cards(500, to_pay=1000)
    orders.cancel_order(order_id=unpaid.pk, holder=holder, reason="")
    with pgtrigger.ignore(OWES):
        give_back(order, 100)
    give_back(order, 200)
    migration = import_module("apps.orders.migrations.0038_owe_credit_notes_of_stored_value")

    for _ in range(2):
        migration.owe(apps, SimpleNamespace(connection=connection))
    write_all()

    assert sorted(note.total_minor for note in notes_of(order)) == [100, 200]
    assert notes_of(unpaid) == []
    assert nothing_is_wrong()


def test_a_card_that_pays_for_all_of_it_pays_the_tax_in_the_prices():
    tax_rate(tax_zone("US", prices_include_tax=True), "25")

    order, _ = sold_on_cards(9000)

    held = {account: minor for account, minor in balances_of(order.pk).items() if minor}
    assert held == {"gift_cards": 1500, "sales": -800, "shipping": -400, "tax": -300}
    give_back(order, 1500)
    write_all()
    assert [note.content["totals"]["tax"] for note in notes_of(order)] == [300]
    assert nothing_is_wrong()


def test_of_refunds_of_one_version_at_once_one_is_made():
    order, _ = sold_on_cards(1500)
    order.refresh_from_db()

    answers = at_once([lambda: give_back(order, 100, version=order.version)] * 8)

    assert sum(isinstance(each, VersionMismatch) for each in answers) == 7
    assert ValueMovement.objects.filter(order=order, kind="give_back").count() == 1
