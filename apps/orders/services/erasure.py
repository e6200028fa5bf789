"""Erasing a person: orders stay as figures, invoices keep what the law asks for."""

from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.privacy import Person, Traces, erase_from
from apps.orders.documents.content import BUYER
from apps.orders.models import (
    BillingDocument,
    Cart,
    ChangeSet,
    Order,
    PaymentAttempt,
    Refund,
    RetainedInvoice,
    Return,
    WebhookEvent,
)
from apps.orders.personal_data import TABLES, owned_by
from apps.orders.states import OPEN_RETURNS, AttemptStatus, ChangeStatus, OrderStatus

ENDED = (OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
PAYLOAD_KEPT_FOR = timedelta(days=30)


def open_orders_of(*, person: Person) -> int:
    """Return how many orders still need the person's data: not over, or something is under way."""
    moving = Q(next_action_at__isnull=False)
    unwritten = moving | Q(gave_up_at__isnull=False)
    return (
        Order.objects.filter(owned_by(person))
        .filter(
            ~Q(status__in=ENDED)
            | Q(pk__in=PaymentAttempt.objects.filter(moving).values("order"))
            | Q(pk__in=Refund.objects.filter(moving).values("attempt__order"))
            | Q(pk__in=Return.objects.filter(status__in=OPEN_RETURNS).values("order"))
            | Q(pk__in=BillingDocument.objects.filter(unwritten).values("order"))
        )
        .count()
    )


def traces_of(*, person: Person) -> Traces:
    """Return the ids of the person's carts and orders, and what guests prove themselves with."""
    mine = [
        row
        for model in (Order, Cart)
        for row in model._default_manager.filter(owned_by(person)).values_list("pk", "token_hash")
    ]
    # Not their e-mail addresses: whoever orders may type somebody else's.
    return Traces(frozenset(pk for pk, _ in mine), frozenset(token for _, token in mine if token))


def emails_of_guests() -> frozenset[str]:
    """Return the addresses that guests have left in carts and orders."""
    return frozenset(
        email.lower()
        for model in (Order, Cart)
        for email in model._default_manager.filter(customer_id=None)
        .exclude(email="")
        .order_by()
        .values_list("email", flat=True)
        .distinct()
    )


@transaction.atomic
def erase(*, person: Person) -> int:
    """Take the person out of their orders and delete their carts; what invoices say is kept.

    Of money that came and has no invoice, name and address are kept; what replaces goods that came
    back is on the invoice of those. Nothing of it may be open.
    Amounts do not change. Doing it again changes nothing. Returns how many rows were touched.
    """
    mine = Order.objects.filter(owned_by(person)).exclude(shipping_address={})
    captured = Q(attempts__status=AttemptStatus.CAPTURED)
    paid = Q(status=OrderStatus.COMPLETED) | captured | Q(history__to_status=OrderStatus.PAID)
    RetainedInvoice.objects.bulk_create(
        [
            RetainedInvoice(
                order=order,
                address={name: order.shipping_address.get(name, "") for name in BUYER},
                keep_until=date(order.placed_at.year + settings.INVOICE_RETENTION_YEARS, 12, 31),
            )
            for order in mine.filter(paid, exchanged_minor=0, billing_documents=None).distinct()
        ],
        ignore_conflicts=True,
    )
    return erase_from(TABLES, person=person)


def forget_old_records() -> int:
    """Delete what has had its time: invoices' data, old messages, changes that nobody made.

    Returns how many rows.
    """
    old, _ = RetainedInvoice.objects.filter(keep_until__lt=timezone.now().date()).delete()
    proposed = ChangeSet.objects.filter(status=ChangeStatus.PROPOSED)
    unmade, _ = proposed.filter(expires_at__lt=Now() - PAYLOAD_KEPT_FOR).delete()
    said = WebhookEvent.objects.filter(
        received_at__lt=Now() - PAYLOAD_KEPT_FOR, next_action_at=None
    )
    return old + unmade + said.exclude(payload={}).update(payload={})
