"""Documents under contention and crashes: no gap, no second number, no lost file, equal bytes."""

import os
import signal
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import connections
from django.utils import timezone

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import BillingDocument, InvoiceNumbers, Order
from apps.orders.services import billing
from apps.orders.services.invariants import Rule, violations
from apps.orders.tests.factories import paid_order, pay, placed_order
from apps.orders.tests.test_documents import folder, give_back, write_all
from apps.orders.tests.test_races import at_once

__all__ = ["folder"]

pytestmark = pytest.mark.django_db(transaction=True)

YEAR = datetime.now(UTC).year
ORDERS = 200


@pytest.fixture(autouse=True)
def stock(db):
    """A main location, also after a test that has emptied the tables."""
    StockLocationFactory()


def numbers(kind="invoice"):
    documents = BillingDocument.objects.filter(kind=kind).order_by("number")
    return [document.shown_number for document in documents]


def first(count, prefix="INV"):
    return [f"{prefix}-{YEAR}-{place:06}" for place in range(1, count + 1)]


def broken():
    rules = {Rule.INVOICED, Rule.DOCUMENT_NUMBERS}
    return [each for each in violations(ask_providers=False) if each.rule in rules]


def test_200_orders_paid_by_8_threads_and_written_by_4_have_200_numbers(folder):
    variant = VariantFactory(stock=ORDERS)
    orders = [placed_order({variant.pk: 1})[0] for _ in range(ORDERS)]

    def pay_some(start):
        for order in orders[start::8]:
            pay(order)

    at_once([lambda start=start: pay_some(start) for start in range(8)] + [write_all] * 4)
    write_all()

    assert numbers() == first(ORDERS)
    assert InvoiceNumbers.objects.get().last == ORDERS
    assert broken() == []
    for document in BillingDocument.objects.all():
        stored = (folder / document.file).read_bytes()
        assert billing.rendered(document) == stored
        assert sha256(stored).hexdigest() == document.sha256
    assert len(list(folder.rglob("*.pdf"))) == ORDERS


def test_8_workers_write_one_document_once(folder):
    order, _ = paid_order()

    at_once([billing.advance_document] * 8)
    at_once([lambda: billing._issue(order.billing_documents.get().pk)] * 8)

    assert numbers() == first(1)
    assert InvoiceNumbers.objects.get().last == 1


def test_credit_notes_of_one_order_written_at_once_add_up(folder):
    order, _ = paid_order()
    parts = [100, 200, 300, order.grand_total_minor - 600]
    for minor in parts:
        give_back(order, minor)

    at_once([write_all] * 4)
    BillingDocument.objects.exclude(status="stored").update(
        next_action_at=timezone.now(), lease_until=None
    )
    write_all()

    notes = BillingDocument.objects.filter(kind="credit_note")
    assert numbers("credit_note") == first(4, "CN")
    assert Counter(note.total_minor for note in notes) == Counter(parts)
    assert broken() == []


@pytest.mark.parametrize(
    "moment", ["issued", "rendered", "stored"], ids="before_the_file while_writing after_it".split()
)
def test_who_is_killed_at_any_moment_leaves_no_gap_and_no_half_document(moment, folder):
    order, _ = paid_order()
    document = order.billing_documents.get()

    in_a_process_that_dies(moment, document)
    left = Order.objects.get(pk=order.pk).billing_documents.get()
    assert (left.status, left.shown_number) == ("issued", f"INV-{YEAR}-000001")
    BillingDocument.objects.update(lease_until=None)
    paid_order()
    write_all()

    assert numbers() == first(2)
    left.refresh_from_db()
    stored = (folder / left.file).read_bytes()
    assert left.status == "stored"
    assert (stored, left.sha256) == (billing.rendered(left), sha256(stored).hexdigest())
    assert len(list(folder.rglob("*.pdf"))) == 2
    assert broken() == []


def test_who_is_killed_before_the_commit_gives_the_number_back(folder):
    order, _ = paid_order()
    document = order.billing_documents.get()

    in_a_process_that_dies("numbered", document)

    assert not InvoiceNumbers.objects.exists()
    BillingDocument.objects.update(lease_until=None)
    write_all()
    assert numbers() == first(1)


def in_a_process_that_dies(moment, document):
    """Write a document in a process that ends by kill -9 at that moment."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            _work_until(moment, document)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def _work_until(moment, document):
    if moment == "numbered":
        taken = billing.next_number

        def die(numbers):
            taken(numbers)
            os.kill(os.getpid(), signal.SIGKILL)

        billing.next_number = die
    billing._issue(document.pk)
    issued = BillingDocument.objects.get(pk=document.pk)
    pdf = billing.rendered(issued)
    if moment == "rendered":  # half of it is on the disk
        place = Path(storages["orders"].path(issued.file))
        place.parent.mkdir(parents=True)
        place.write_bytes(pdf[: len(pdf) // 2])
    if moment == "stored":
        billing.files.keep(issued.file, pdf)
