"""Invoices and credit notes: owed at once, numbered without gaps, the same for good."""

import io
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pgtrigger
import pypdf
import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog.tests.factories import VariantFactory
from apps.kernel.money import Money
from apps.orders import files
from apps.orders.models import BillingDocument, CreditNoteNumbers, InvoiceNumbers, Order, Refund
from apps.orders.services import billing, refunds
from apps.orders.services.invariants import Rule, violations
from apps.orders.services.numbers import skip
from apps.orders.states import RefundStatus
from apps.orders.tests.factories import (
    ADDRESS,
    completed_order,
    paid_order,
    placed_order,
    tax_rate,
    tax_zone,
)
from apps.users.tests.factories import StaffFactory, enter

pytestmark = pytest.mark.django_db

YEAR = datetime.now(UTC).year


@pytest.fixture
def folder(settings, tmp_path):
    """Where documents are stored, as on one machine."""
    options = {"location": str(tmp_path), "allow_overwrite": True}
    backend = f"{FileSystemStorage.__module__}.{FileSystemStorage.__name__}"
    settings.STORAGES = {**settings.STORAGES, "orders": {"BACKEND": backend, "OPTIONS": options}}
    storages._storages.clear()
    yield tmp_path
    storages._storages.clear()


def write_all():
    """Write all that is due, as a worker does."""
    while billing.advance_document():
        pass


def written_invoice(**facts):
    """Return the written invoice of a new paid order, and who holds that."""
    order, holder = paid_order(**facts)
    write_all()
    return order.billing_documents.get(kind="invoice"), holder


def give_back(order, minor):
    """Give so much of a paid order back; the money is there at once."""
    amount = Money(minor, order.currency)
    given = refunds.refund_order(order_id=order.pk, amount=amount, reason="A scratch.")
    refund = given.payment
    Refund.objects.filter(pk=refund.pk).update(status="in_flight")
    refunds._settle(refund, RefundStatus.SUCCEEDED)
    return refund


def text_of(pdf):
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def broken(*rules):
    return [each for each in violations(ask_providers=False) if each.rule in rules]


def as_guest(holder):
    return APIClient(headers={"X-Order-Token": holder.token})


def test_an_order_that_becomes_paid_is_owed_an_invoice_and_only_one():
    unpaid, _ = placed_order()
    order, _ = paid_order()

    document = BillingDocument.objects.get()

    assert (document.kind, document.order_id, document.status) == ("invoice", order.pk, "due")
    assert document.number is None
    assert not unpaid.billing_documents.exists()
    made_at = datetime.fromtimestamp((document.pk.int >> 80) / 1000, UTC)
    assert document.pk.version == 7
    assert abs(made_at - timezone.now()) < timedelta(minutes=1)
    with (
        pytest.raises(IntegrityError, match="billing_document_one_invoice_an_order"),
        transaction.atomic(),
    ):
        BillingDocument.objects.create(order=order, kind="invoice", next_action_at=timezone.now())


def test_a_payment_that_is_rolled_back_owes_nothing():
    with transaction.atomic():
        paid_order()
        transaction.set_rollback(True)

    assert not BillingDocument.objects.exists()


def test_documents_are_numbered_by_kind_from_1_on():
    orders = [paid_order()[0] for _ in range(3)]
    write_all()
    for order in orders:
        give_back(order, 100)
    write_all()

    numbers = [document.shown_number for document in BillingDocument.objects.order_by("number")]
    assert sorted(numbers) == [
        *(f"CN-{YEAR}-00000{place}" for place in (1, 2, 3)),
        *(f"INV-{YEAR}-00000{place}" for place in (1, 2, 3)),
    ]
    assert (InvoiceNumbers.objects.get().last, CreditNoteNumbers.objects.get().last) == (3, 3)
    assert broken(Rule.INVOICED, Rule.DOCUMENT_NUMBERS) == []


def test_an_invoice_says_who_sold_what_to_whom_for_how_much(settings):
    settings.SELLER = {"name": "Lamps Ltd", "address": ["1 Quay", "Cork"], "tax_id": "IE1234567T"}
    zone = tax_zone("US/IL")
    tax_rate(zone, "10", code="state", name="State tax")
    lamp = VariantFactory(price_minor=1999, stock=9, sku="LAMP", product__name="Lámpara Ω")

    invoice, _ = written_invoice(quantities={lamp.pk: 2})

    text = text_of(billing.pdf_of(invoice))
    for said in (
        f"Invoice INV-{YEAR}-000001",
        invoice.order.shown_number,
        f"{invoice.issued_at:%Y-%m-%d}",
        *("Lamps Ltd", "1 Quay", "Cork", "Tax number: IE1234567T"),
        *("Robin Doe", "1 Main Street", "62701 Springfield", "US"),
        *("Lámpara Ω", "SKU LAMP", "19.99", "39.98", "10 %", "State tax"),
        Money(invoice.order.tax_minor, "USD").amount,
        Money(invoice.order.grand_total_minor, "USD").amount,
        "All amounts in USD.",
    ):
        assert said in text
    assert (invoice.total_minor, invoice.currency) == (invoice.order.grand_total_minor, "USD")
    assert invoice.keep_until == date(YEAR + 10, 12, 31)


def test_an_invoice_keeps_of_a_person_what_the_law_asks_for_and_no_more():
    order, _ = placed_order()
    address = {**ADDRESS, "phone": "+15550100"}
    Order.objects.filter(pk=order.pk).update(shipping_address=address, status="paid")

    write_all()

    content = str(order.billing_documents.get().content)
    assert "Robin" in content
    assert "5550100" not in content
    assert order.email not in content


def test_an_invoice_never_changes_whatever_becomes_of_its_order_and_its_seller(settings):
    invoice, _ = written_invoice()
    before = billing.pdf_of(invoice)
    settings.SELLER = {"name": "Another", "address": [], "tax_id": ""}
    Order.objects.filter(pk=invoice.order_id).update(shipping_address={}, email="")

    invoice.refresh_from_db()

    assert billing.rendered(invoice) == before
    assert invoice.sha256 == sha256(before).hexdigest()


@pytest.mark.parametrize(
    "values",
    [
        {"number": 1},
        {"total_minor": 1},
        {"currency": "EUR"},
        {"issued_at": timezone.now()},
        {"content": {}},
        {"kind": "credit_note"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_the_database_lets_nobody_change_what_is_issued(values):
    invoice, _ = written_invoice()

    with pytest.raises(IntegrityError, match="billing_document"), transaction.atomic():
        BillingDocument.objects.filter(pk=invoice.pk).update(**values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"number": 1}, "billing_document_speaks_from_its_number_on"),
        ({"status": "issued"}, "billing_document_speaks_from_its_number_on"),
        ({"next_action_at": None}, "billing_document_open_is_due_or_given_up"),
        ({"kind": "credit_note"}, "billing_document_of_what_went_back_is_a_credit_note"),
        ({"status": "lost"}, "billing_document_speaks_from_its_number_on"),
    ],
)
def test_the_database_lets_a_document_say_nothing_impossible(values, constraint):
    paid_order()

    with (
        pytest.raises(IntegrityError, match=constraint),
        pgtrigger.ignore(),
        transaction.atomic(),
    ):
        BillingDocument.objects.update(**values)


def test_a_number_is_never_taken_off_the_books():
    invoice, _ = written_invoice()

    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        invoice.delete()


def test_credit_notes_of_parts_add_up_to_the_invoice():
    zone = tax_zone("US/IL")
    tax_rate(zone, "7.25", code="state", name="State tax")
    tax_rate(zone, "3", of="reduced", code="state", name="State tax")
    goods = {
        VariantFactory(price_minor=1999, stock=9).pk: 3,
        VariantFactory(price_minor=333, stock=9, product__tax_class="reduced").pk: 1,
    }
    invoice, _ = written_invoice(quantities=goods)
    order = invoice.order
    parts = [1, 777, 2000]
    for minor in [*parts, order.grand_total_minor - sum(parts)]:
        give_back(order, minor)
        write_all()

    notes = order.billing_documents.filter(kind="credit_note").order_by("number")

    assert [note.total_minor for note in notes][:3] == parts
    assert sum(note.total_minor for note in notes) == invoice.total_minor
    for note in notes:
        totals = note.content["totals"]
        assert totals["net"] + totals["tax"] == totals["grand_total"] == note.total_minor
        assert sum(tax["amount"] for tax in note.content["taxes"]) == totals["tax"]
    for place, tax in enumerate(invoice.content["taxes"]):
        for column in ("net", "amount"):
            given = [note.content["taxes"][place][column] for note in notes]
            assert sum(given) == tax[column]
            assert min(given) >= 0
    assert broken(Rule.INVOICED, Rule.DOCUMENT_NUMBERS) == []


def test_a_credit_note_names_the_invoice_and_what_goes_back():
    invoice, _ = written_invoice()
    give_back(invoice.order, 500)
    write_all()

    note = invoice.order.billing_documents.get(kind="credit_note")

    text = text_of(billing.pdf_of(note))
    for said in (f"Credit note CN-{YEAR}-000001", invoice.shown_number, "5.00", "Robin Doe"):
        assert said in text
    assert "A scratch." not in text


def test_the_invoice_of_a_credit_note_is_issued_first():
    order, _ = paid_order()
    give_back(order, 500)
    order.billing_documents.filter(kind="invoice").update(
        next_action_at=timezone.now() + timedelta(hours=1)
    )

    assert billing.advance_document()

    note = order.billing_documents.get(kind="credit_note")
    assert note.status == "stored"
    assert note.content["invoice"] == f"INV-{YEAR}-000001"
    assert order.billing_documents.get(kind="invoice").status == "issued"


def test_a_refund_that_has_not_gone_back_has_no_credit_note():
    order, _ = paid_order()
    refund = refunds.refund_order(order_id=order.pk, amount=Money(100, "USD"), reason="").payment
    Refund.objects.filter(pk=refund.pk).update(status="in_flight")

    refunds._settle(refund, RefundStatus.FAILED, failure_code="expired_card")

    assert not order.billing_documents.filter(kind="credit_note").exists()
    assert broken(Rule.INVOICED) == []


def test_money_that_was_never_for_an_order_has_neither_invoice_nor_credit_note():
    order, _ = placed_order()
    with pgtrigger.ignore():
        order.attempts.update(status="captured", reference="pi_1", next_action_at=None)
        Order.objects.filter(pk=order.pk).update(status="expired")

    Refund.objects.create(
        attempt=order.attempts.get(),
        amount_minor=order.grand_total_minor,
        currency="USD",
        status="succeeded",
    )

    assert not BillingDocument.objects.exists()
    assert broken(Rule.INVOICED) == []


def test_an_order_without_its_invoice_breaks_the_rule_and_so_does_a_gap():
    order, _ = paid_order()
    written = [written_invoice()[0] for _ in range(3)]
    with pgtrigger.ignore():
        order.billing_documents.all().delete()
        written[1].delete()

    found = broken(Rule.INVOICED, Rule.DOCUMENT_NUMBERS)

    assert {(each.rule, each.subject) for each in found} == {
        (Rule.INVOICED, str(order)),
        (Rule.INVOICED, str(written[1].order)),
        (Rule.DOCUMENT_NUMBERS, f"INV-{YEAR}-000001"),
        (Rule.DOCUMENT_NUMBERS, written[1].shown_number),
    }


def test_a_refund_without_its_credit_note_breaks_the_rule():
    order, _ = paid_order()
    give_back(order, 100)
    order.billing_documents.filter(kind="credit_note").delete()

    assert [each.subject for each in broken(Rule.INVOICED)] == [str(order)]


def test_numbers_that_a_restore_has_lost_are_skipped():
    written_invoice()
    skip(InvoiceNumbers, 10)

    invoice, _ = written_invoice()

    assert invoice.shown_number == f"INV-{YEAR}-000012"
    assert broken(Rule.DOCUMENT_NUMBERS) == []


def test_a_storage_that_is_away_costs_time_and_no_number(folder):
    order, _ = paid_order()
    (folder / "invoices").write_text("no folder")

    assert billing.advance_document()
    document = order.billing_documents.get()
    assert (document.status, document.shown_number) == ("issued", f"INV-{YEAR}-000001")
    assert document.next_action_at > timezone.now()

    (folder / "invoices").unlink()
    order.billing_documents.update(next_action_at=timezone.now())
    write_all()

    document.refresh_from_db()
    assert (document.status, document.shown_number) == ("stored", f"INV-{YEAR}-000001")
    assert (folder / document.file).read_bytes() == billing.rendered(document)


def test_a_file_that_is_lost_is_written_again(folder):
    invoice, holder = written_invoice()
    path = f"/api/v1/orders/{invoice.order_id}/invoices/{invoice.pk}/pdf"
    before = as_guest(holder).get(path)
    (folder / invoice.file).unlink()

    missing = as_guest(holder).get(path)
    write_all()
    after = as_guest(holder).get(path)

    assert (missing.status_code, missing.json()["code"]) == (409, "document_not_ready")
    assert missing["Retry-After"] == "2"
    assert after.content == before.content
    assert sha256(after.content).hexdigest() == invoice.sha256


def test_words_and_files_go_the_day_after_their_last_and_numbers_stay(folder):
    order, _ = completed_order()
    invoice = order.billing_documents.get(kind="invoice")
    today = timezone.now().date()
    order.billing_documents.update(keep_until=today)
    assert billing.forget_documents() == 0
    assert (folder / invoice.file).exists()

    order.billing_documents.update(keep_until=today - timedelta(days=1))
    assert billing.forget_documents() == 2

    invoice.refresh_from_db()
    assert (invoice.status, invoice.content) == ("forgotten", None)
    assert invoice.shown_number == f"INV-{YEAR}-000001"
    assert invoice.total_minor == order.grand_total_minor
    assert not (folder / invoice.file).exists()
    assert broken(Rule.INVOICED, Rule.DOCUMENT_NUMBERS) == []
    assert billing.forget_documents() == 0


def test_a_document_that_cannot_be_deleted_keeps_no_other_one(folder):
    stuck, _ = written_invoice()
    other, _ = written_invoice()
    over = timezone.now().date() - timedelta(days=2)
    BillingDocument.objects.filter(pk=stuck.pk).update(keep_until=over - timedelta(days=1))
    BillingDocument.objects.filter(pk=other.pk).update(keep_until=over)
    (folder / stuck.file).unlink()
    (folder / stuck.file / "what no file has in it").mkdir(parents=True)

    assert billing.forget_documents() == 1

    for document, status in ((stuck, "stored"), (other, "forgotten")):
        document.refresh_from_db()
        assert document.status == status


def test_buyers_and_staff_read_documents_and_nobody_else(staff):
    invoice, holder = written_invoice()
    give_back(invoice.order, 500)
    write_all()
    note = invoice.order.billing_documents.get(kind="credit_note")
    _, other = written_invoice()
    base = f"/api/v1/orders/{invoice.order_id}"

    for client in (as_guest(holder), staff):
        listed = client.get(f"{base}/invoices").json()["results"]
        assert [each["id"] for each in listed] == [str(invoice.pk)]
        assert client.get(f"{base}/invoices/{invoice.pk}").json() == listed[0]
        [credited] = client.get(f"{base}/credit-notes").json()["results"]
        assert credited["invoice_number"] == invoice.shown_number
        assert credited["totals"]["grand_total"] == {"amount": "5.00", "currency": "USD"}
        pdf = client.get(f"{base}/credit-notes/{note.pk}/pdf")
        assert pdf["Content-Type"] == "application/pdf"
        assert pdf["Content-Disposition"] == f'attachment; filename="{note.shown_number}.pdf"'
        assert pdf.content == billing.pdf_of(note)
    for path in (
        f"{base}/invoices",
        *(f"{base}/invoices/{invoice.pk}{end}" for end in ("", "/pdf")),
        f"{base}/credit-notes",
        *(f"{base}/credit-notes/{note.pk}{end}" for end in ("", "/pdf")),
    ):
        assert as_guest(other).get(path).status_code == 404
        assert APIClient().get(path).status_code == 404
    # Neither another order's nor another kind's.
    mine = Order.objects.exclude(pk=invoice.order_id).get()
    for path in (
        f"/api/v1/orders/{mine.pk}/invoices/{invoice.pk}/pdf",
        f"/api/v1/orders/{mine.pk}/credit-notes/{invoice.pk}",
    ):
        assert as_guest(other).get(path).json()["code"] == "unknown_document"


def test_what_has_no_number_yet_is_not_there_and_what_has_no_file_is_not_ready(folder):
    order, holder = paid_order()
    document = order.billing_documents.get()
    base = f"/api/v1/orders/{order.pk}/invoices"
    guest = as_guest(holder)

    assert guest.get(base).json() == {"results": []}
    assert guest.get(f"{base}/{document.pk}").status_code == 404
    billing._issue(document.pk)
    assert guest.get(f"{base}/{document.pk}").json()["sha256"] is None
    assert guest.get(f"{base}/{document.pk}/pdf").json()["code"] == "document_not_ready"


def test_an_invoice_as_json_says_what_the_pdf_says():
    tax_rate(tax_zone("US/IL"), "10", code="state", name="State tax")
    lamp = VariantFactory(price_minor=2000, stock=9, sku="LAMP", product__name="Lamp")
    invoice, holder = written_invoice(quantities={lamp.pk: 2})

    said = as_guest(holder).get(f"/api/v1/orders/{invoice.order_id}/invoices").json()["results"][0]

    def usd(amount):
        return {"amount": amount, "currency": "USD"}

    assert said["lines"] == [
        {
            "sku": "LAMP",
            "name": "Lamp",
            "quantity": 2,
            "unit_price": usd("20.00"),
            "total": usd("40.00"),
            "discount": usd("0.00"),
            "tax": usd("4.00"),
            "percentages": ["10"],
        }
    ]
    assert said["order_number"] == invoice.order.shown_number
    assert said["buyer"]["last_name"] == "Doe"
    assert sum(float(tax["amount"]["amount"]) for tax in said["taxes"]) == float(
        said["totals"]["tax"]["amount"]
    )


def test_staff_fetch_documents_in_the_back_office(client):
    invoice, _ = written_invoice()
    address = f"/admin/orders/billingdocument/{invoice.pk}/pdf/"
    assert client.get(address).status_code == 302
    enter(client, StaffFactory(permissions=["orders.view_order"]))
    assert client.get(address).status_code == 403
    enter(client, StaffFactory(permissions=["orders.view_order", "orders.view_billingdocument"]))

    page = client.get(f"/admin/orders/order/{invoice.order_id}/change/").content.decode()
    pdf = client.get(address)
    found = client.get("/admin/orders/billingdocument/", {"q": invoice.shown_number})

    assert invoice.shown_number in page
    assert pdf.content == billing.pdf_of(invoice)
    assert [row.pk for row in found.context["cl"].result_list] == [invoice.pk]
    assert address in found.content.decode()


def test_files_are_kept_by_id_and_say_nothing_of_whose_they_are(folder):
    invoice, _ = written_invoice()

    assert [str(path.relative_to(folder)) for path in folder.rglob("*.pdf")] == [
        f"invoices/{invoice.pk}.pdf"
    ]
    assert files.read(invoice.file) == billing.pdf_of(invoice)
