"""Documents that cannot be written: given up after some tries, seen, and tried again."""

import pgtrigger
import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Person
from apps.orders.models import BillingDocument
from apps.orders.services import billing, erasure
from apps.orders.services.invariants import Rule, violations
from apps.orders.tests.factories import completed_order, paid_order
from apps.orders.tests.test_documents import folder, give_back, write_all, written_invoice
from apps.users.tests.factories import StaffFactory, enter

__all__ = ["folder"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def hopeless():
    """Return the credit note of an invoice whose words are forgotten."""
    invoice, _ = written_invoice()
    BillingDocument.objects.filter(pk=invoice.pk).update(keep_until=timezone.now().date())
    BillingDocument.objects.filter(pk=invoice.pk).update(status="forgotten", content=None)
    give_back(invoice.order, 100)
    return invoice.order.billing_documents.get(kind="credit_note")


def tried(document, times):
    """Let a worker try so often, and return what became of the document."""
    for _ in range(times):
        BillingDocument.objects.filter(pk=document.pk, next_action_at__isnull=False).update(
            next_action_at=Now()
        )
        billing.advance_document()
    document.refresh_from_db()
    return document


def given_up():
    return [each.subject for each in violations(ask_providers=False) if each.rule == Rule.WRITTEN]


def test_what_cannot_be_written_is_given_up_after_15_tries_and_seen(hopeless):
    assert tried(hopeless, 14).gave_up_at is None
    assert (given_up(), hopeless.next_action_at is None) == ([], False)

    assert tried(hopeless, 1).gave_up_at is not None
    assert (hopeless.status, hopeless.next_action_at, hopeless.tries) == ("due", None, 15)
    assert given_up() == [str(hopeless)]
    assert billing.advance_document() is False


def test_another_document_is_written_meanwhile(hopeless):
    paid_order()

    tried(hopeless, 15)

    assert BillingDocument.objects.filter(status="stored").count() == 1


def test_staff_let_it_be_tried_again_once_the_cause_is_mended(client, hopeless):
    tried(hopeless, 15)
    invoice = hopeless.order.billing_documents.get(kind="invoice")
    words = billing.invoice_content(
        hopeless.order,
        hopeless.order.lines.all(),
        paid_at=timezone.now(),
        seller={"name": "Shop", "address": [], "tax_id": ""},
        address={},
    )
    with pgtrigger.ignore():
        BillingDocument.objects.filter(pk=invoice.pk).update(
            status="stored", content=words, sha256="0" * 64
        )
    action = {"action": "retry", "_selected_action": [hopeless.pk]}
    path = "/admin/orders/billingdocument/"
    enter(client, StaffFactory(permissions=["orders.view_billingdocument"]))
    client.post(path, action)
    assert tried(hopeless, 1).status == "due"
    may = ["orders.view_billingdocument", "orders.retry_billingdocument"]
    enter(client, StaffFactory(permissions=may))
    listed = client.get(path, {"gave_up_at__isempty": "0"}).context["cl"].result_list
    assert [row.pk for row in listed] == [hopeless.pk]

    assert "Done: 1" in client.post(path, action, follow=True).content.decode()
    write_all()

    hopeless.refresh_from_db()
    assert (hopeless.status, hopeless.gave_up_at, given_up()) == ("stored", None, [])
    assert AuditEntry.objects.filter(action="orders.document_retried").count() == 1
    refused = client.post(path, action, follow=True).content.decode()
    assert "It was not given up." in refused


def test_a_storage_that_is_away_is_waited_for_however_long(folder):
    order, _ = paid_order()
    (folder / "invoices").write_text("no folder")
    document = tried(order.billing_documents.get(), 20)

    assert (document.status, document.gave_up_at) == ("issued", None)
    (folder / "invoices").unlink()
    assert tried(document, 1).status == "stored"


def test_a_given_up_invoice_that_is_issued_after_all_is_written():
    order, _ = paid_order()
    order.billing_documents.update(gave_up_at=Now(), next_action_at=None)

    invoice = billing.issued_invoice(order)
    write_all()

    invoice.refresh_from_db()
    assert (invoice.status, invoice.gave_up_at) == ("stored", None)


def test_a_person_is_not_erased_before_their_documents_are_written():
    order, _ = completed_order()
    person = Person(None, frozenset({order.email}))
    assert erasure.open_orders_of(person=person) == 0

    order.billing_documents.update(status="issued", gave_up_at=Now(), next_action_at=None)

    assert erasure.open_orders_of(person=person) == 1


@pytest.mark.parametrize(
    "values",
    [{"gave_up_at": timezone.now()}, {"next_action_at": None}],
    ids=lambda values: next(iter(values)),
)
def test_an_open_document_is_due_or_given_up(values):
    paid_order()

    with (
        pytest.raises(IntegrityError, match="billing_document_open_is_due_or_given_up"),
        transaction.atomic(),
    ):
        BillingDocument.objects.update(**values)
