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

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import BillingDocument, InvoiceNumbers, Order
from apps.orders.services import billing
from apps.orders.services.invariants import Rule, violations
from apps.orders.tests.factories import paid_order, pay, placed_order, tax_rate, tax_zone
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


def test_8_workers_who_issue_one_document_take_one_number(folder):
    orders = [paid_order()[0] for _ in range(6)]

    for order in orders:
        document = order.billing_documents.get()
        at_once([lambda pk=document.pk: billing._issue(pk)] * 8)

    assert numbers() == first(6)
    assert InvoiceNumbers.objects.get().last == 6
    assert broken() == []


def test_credit_notes_of_one_order_issued_at_once_add_up(folder, standard_class):
    zone = tax_zone("US/IL")
    for code in ("state", "city"):
        tax_rate(zone, "7.25", code=code, name=code)
    for _ in range(4):
        order, _ = paid_order({VariantFactory(price_minor=99_999, stock=9).pk: 1})
        parts = [33_333, 33_333, 3, order.grand_total_minor - 66_669]
        for minor in parts:
            give_back(order, minor)
        due = list(order.billing_documents.filter(kind="credit_note"))

        at_once([lambda pk=note.pk: billing._issue(pk) for note in due])

        notes = order.billing_documents.filter(kind="credit_note")
        assert Counter(note.total_minor for note in notes) == Counter(parts)
        said = order.billing_documents.get(kind="invoice").content["taxes"]
        for place, tax in enumerate(said):
            for column in ("net", "amount"):
                assert sum(n.content["taxes"][place][column] for n in notes) == tax[column]
    assert numbers("credit_note") == first(16, "CN")
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
