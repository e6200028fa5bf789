"""Invoices and credit notes: numbered and written down once, then stored as PDF.

The row that a document is owed comes from a trigger, with what it is owed for. A worker gives it
its number in one transaction, and renders and stores its PDF outside of any. Whoever repeats that
after a crash writes the same bytes to the same place.
"""

import logging
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.audit import record
from apps.kernel.errors import Conflict
from apps.kernel.work import claim, due_after_failure
from apps.orders import files
from apps.orders.documents.content import Content, credit_note_content, invoice_content
from apps.orders.documents.pdf import written
from apps.orders.models import (
    BillingDocument,
    CreditNoteNumbers,
    InvoiceNumbers,
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
    Order,
    Refund,
    RetainedInvoice,
    ValueMovement,
)
from apps.orders.models.order_number import YearlyNumbers
from apps.orders.services import ledger
from apps.orders.services.numbers import next_number
from apps.orders.services.transitions import locked
from apps.orders.states import DocumentStatus, OrderStatus

log = logging.getLogger(__name__)

Kind = BillingDocument.Kind
NUMBERS: dict[str, type[YearlyNumbers]] = {
    Kind.INVOICE: InvoiceNumbers,
    Kind.CREDIT_NOTE: CreditNoteNumbers,
}
TITLES: dict[str, str] = {Kind.INVOICE: "Invoice", Kind.CREDIT_NOTE: "Credit note"}
# What takes revenue and tax back, for money and for what balances get.
TAKEN_BACK_BY: dict[type[Model], str] = {
    Refund: LedgerPosting.Kind.REFUND_PROMISE,
    ValueMovement: LedgerPosting.Kind.STORED_VALUE,
}
FORGOTTEN_AT_ONCE = 100
LOOK_AGAIN_SECONDS = 2
TRIES_BEFORE_GIVING_UP = 15  # an hour and a quarter


class DocumentNotReady(Conflict):
    """It has its number, and its PDF is being written: ask again in a moment."""

    code = "document_not_ready"


class DocumentNotGivenUp(Conflict):
    """It is written, or a worker is about to write it."""

    code = "document_not_given_up"


def advance_document() -> bool:
    """Number, write and store the next due document. Returns False when none is due.

    One that cannot be written is given up after some tries: what it should say is missing, and
    that does not pass by itself. For database and storage it waits as long as they are away.
    """
    document = claim(BillingDocument)
    if document is None:
        return False
    try:
        _issue(document.pk)
        issued = BillingDocument.objects.get(pk=document.pk)
        pdf = rendered(issued)
    except OperationalError:
        log.exception("A document has to wait.", extra={"reference": document.pk})
        due_after_failure(document)
    except Exception:  # this one is odd: the others go on
        log.exception("A document could not be written.", extra={"reference": document.pk})
        _give_up_at_last(document)
    else:
        _store(issued, pdf)
    return True


@transaction.atomic
def retry_document(*, document_id: UUID) -> None:
    """Let a document that was given up be tried again. Raises DocumentNotGivenUp."""
    given_up = BillingDocument.objects.filter(pk=document_id, gave_up_at__isnull=False)
    if not given_up.update(gave_up_at=None, next_action_at=Now(), tries=0):
        raise DocumentNotGivenUp("It was not given up.")
    record("orders.document_retried", about=document_id)


def pdf_of(document: BillingDocument) -> bytes:
    """Return the PDF. Raises DocumentNotReady as long as it is not stored.

    A file that is lost is written again.
    """
    if document.status == DocumentStatus.STORED:
        try:
            return files.read(document.file)
        except FileNotFoundError:
            log.error("A stored document is lost.", extra={"reference": document.pk})
            BillingDocument.objects.filter(pk=document.pk, status=DocumentStatus.STORED).update(
                status=DocumentStatus.ISSUED, next_action_at=Now()
            )
    raise DocumentNotReady("The PDF is being written.", retry_after=LOOK_AGAIN_SECONDS)


def forget_documents() -> int:
    """Delete the files and words of documents whose time is over. Numbers and amounts stay.

    One whose file cannot be deleted is tried again the next time. Returns how many are gone.
    """
    over = BillingDocument.objects.filter(
        status=DocumentStatus.STORED, keep_until__lt=timezone.now().date()
    ).order_by("keep_until")[:FORGOTTEN_AT_ONCE]
    forgotten = 0
    for document in over:
        try:
            files.remove(document.file)
        except Exception:  # whatever the storage says: the others go on
            log.exception("A file could not be deleted.", extra={"reference": document.pk})
            continue
        forgotten += BillingDocument.objects.filter(
            pk=document.pk, status=DocumentStatus.STORED
        ).update(status=DocumentStatus.FORGOTTEN, content=None)
    return forgotten


@transaction.atomic
def _issue(document_id: UUID) -> None:
    """Say once and for good what a document says, and give it its number, which comes last."""
    document = BillingDocument.objects.select_related("refund", "movement").get(pk=document_id)
    order = locked(document.order_id)
    due = BillingDocument.objects.filter(pk=document_id, status=DocumentStatus.DUE)
    if not due.exists():
        return
    back = document.refund or document.movement
    content = _credit_note(order, back) if back else _invoice(order)
    number, at = next_number(NUMBERS[document.kind])
    due.update(
        status=DocumentStatus.ISSUED,
        number=number,
        issued_at=at,
        content=content,
        total_minor=content["totals"]["grand_total"],
        currency=order.currency,
        keep_until=date(at.year + settings.INVOICE_RETENTION_YEARS, 12, 31),
        gave_up_at=None,
        next_action_at=Now(),
    )


def _give_up_at_last(document: BillingDocument) -> None:
    if document.tries < TRIES_BEFORE_GIVING_UP:
        due_after_failure(document)
        return
    given_up = BillingDocument.objects.filter(pk=document.pk, next_action_at__isnull=False)
    given_up.update(gave_up_at=Now(), next_action_at=None, lease_until=None)
    log.critical("A document was given up.", extra={"reference": document.pk})


def _store(document: BillingDocument, pdf: bytes) -> None:
    try:
        files.keep(document.file, pdf)
    except Exception:  # the storage is away
        log.exception("A document could not be stored.", extra={"reference": document.pk})
        due_after_failure(document)
        return
    BillingDocument.objects.filter(pk=document.pk, status=DocumentStatus.ISSUED).update(
        status=DocumentStatus.STORED,
        sha256=sha256(pdf).hexdigest(),
        next_action_at=None,
        lease_until=None,
    )


def issued_invoice(order: Order) -> BillingDocument:
    """Return the invoice of a paid, locked order. It is issued now if it was only due."""
    invoices = order.billing_documents.filter(kind=Kind.INVOICE)
    _issue(invoices.values_list("pk", flat=True).get())
    return invoices.get()


def rendered(document: BillingDocument) -> bytes:
    """Return the PDF of an issued document, anew."""
    assert document.content is not None  # noqa: S101 - billing_document_speaks_from_its_number_on
    assert document.issued_at is not None  # noqa: S101
    return written(
        document.content,
        title=TITLES[document.kind],
        number=document.shown_number,
        issued_at=document.issued_at,
    )


def _invoice(order: Order) -> Content:
    paid_at = order.history.filter(to_status=OrderStatus.PAID).values_list("at", flat=True).first()
    return invoice_content(
        order,
        order.lines.order_by("position"),
        paid_at=paid_at or order.placed_at,
        seller=settings.SELLER,
        address=order.shipping_address or _retained_address(order),
    )


def _retained_address(order: Order) -> dict[str, str]:
    """Whose person was erased before orders had invoices."""
    retained = RetainedInvoice.objects.filter(order=order).first()
    return retained.address if retained else {}


def _credit_note(order: Order, back: Refund | ValueMovement) -> Content:
    ledger.complete(order.pk)
    tax = LedgerEntry.objects.filter(
        posting__source_id=back.pk,
        posting__kind=TAKEN_BACK_BY[type(back)],
        account=LedgerAccount.TAX,
    ).values_list("amount_minor", flat=True)
    invoice = issued_invoice(order)
    return credit_note_content(
        invoice,
        amount_minor=back.amount_minor,
        tax_minor=tax.first() or 0,
        earlier=_contents(order),
        seller=settings.SELLER,
    )


def _contents(order: Order) -> Sequence[Content]:
    notes: QuerySet[BillingDocument] = order.billing_documents.filter(
        kind=Kind.CREDIT_NOTE, content__isnull=False
    )
    return [note.content or {} for note in notes.order_by("number")]
