"""Reads: invoices and credit notes, and what is missing among them."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from apps.kernel.errors import NotFound
from apps.orders.models import (
    BillingDocument,
    CreditNoteNumbers,
    InvoiceNumbers,
    Order,
    PaymentAttempt,
    Refund,
    StatusChange,
    ValueMovement,
)
from apps.orders.models.billing_document import PREFIX
from apps.orders.models.order_number import YEAR, YearlyNumbers, shown
from apps.orders.selectors.order_numbers import gaps
from apps.orders.selectors.orders import Holder, orders_of
from apps.orders.states import DocumentStatus, OrderStatus, RefundStatus

Kind = BillingDocument.Kind
READABLE = (DocumentStatus.ISSUED, DocumentStatus.STORED)
PAID = (OrderStatus.PAID, OrderStatus.FULFILLING, OrderStatus.COMPLETED)
BACK = (ValueMovement.Kind.GIVE_BACK, ValueMovement.Kind.REFUND)
COUNTED: dict[str, type[YearlyNumbers]] = {
    Kind.INVOICE: InvoiceNumbers,
    Kind.CREDIT_NOTE: CreditNoteNumbers,
}


class UnknownDocument(NotFound):
    """There is no such invoice or credit note, or it is somebody else's, or not numbered yet."""

    code = "unknown_document"


def documents_of(
    *, holder: Holder, order_id: UUID, kind: BillingDocument.Kind
) -> QuerySet[BillingDocument]:
    """Return an order's documents that the holder may see, in the order of their numbers."""
    mine = orders_of(holder=holder).filter(pk=order_id).values("pk")
    found = BillingDocument.objects.filter(order__in=mine, kind=kind, status__in=READABLE)
    return found.select_related("movement").order_by("number")


def document_of(
    *, holder: Holder, order_id: UUID, kind: BillingDocument.Kind, document_id: UUID
) -> BillingDocument:
    """Return one of them. Raises UnknownDocument."""
    found = documents_of(holder=holder, order_id=order_id, kind=kind).filter(pk=document_id).first()
    if found is None:
        raise UnknownDocument("There is no such document.")
    return found


def orders_without_invoice(orders: QuerySet[Order]) -> Iterator[Order]:
    """Yield the orders that were paid and have no invoice, or of which something went back unsaid:
    money, or what is on balances now.
    """
    invoices = BillingDocument.objects.filter(order=OuterRef("pk"), kind=Kind.INVOICE)
    paid = Q(status__in=PAID) | Q(
        Exists(StatusChange.objects.filter(order=OuterRef("pk"), to_status=OrderStatus.PAID))
    )
    yield from orders.filter(paid, exchanged_minor=0).exclude(Exists(invoices))
    said = BillingDocument.objects.filter(refund=OuterRef("pk"))
    unsaid = Refund.objects.filter(
        attempt__order=OuterRef("pk"), status=RefundStatus.SUCCEEDED
    ).exclude(Exists(said))
    # What goes back of an order that ends unpaid does because of the order or of a late payment.
    attempts = PaymentAttempt.objects.filter(order=OuterRef("order")).values("pk")
    said_of_value = BillingDocument.objects.filter(movement=OuterRef("pk"))
    unsaid_of_value = (
        ValueMovement.objects.filter(order=OuterRef("pk"), kind__in=BACK)
        .exclude(Exists(said_of_value))
        .exclude(source_id=F("order_id"))
        .exclude(source_id__in=attempts)
    )
    yield from orders.filter(Exists(invoices), Exists(unsaid) | Exists(unsaid_of_value))


def missing_document_numbers(*, issued_since: datetime | None = None) -> Iterator[str]:
    """Yield the numbers, or the first and the last of each run of them, that nothing has."""
    for kind, numbers in COUNTED.items():
        lowest = YEAR
        if issued_since is not None:
            younger = BillingDocument.objects.filter(kind=kind, issued_at__gte=issued_since)
            found = younger.aggregate(lowest=Min("number"))["lowest"]
            if found is None:
                continue
            lowest = found
        having = f"(SELECT number FROM orders_billingdocument WHERE kind = '{kind}') AS documents"  # noqa: S608 - a constant
        for first, last in gaps(numbers, having=having, lowest=lowest):
            one = f"{PREFIX[kind]}-{shown(first)}"
            yield one if first == last else f"{one} to {shown(last)}"
