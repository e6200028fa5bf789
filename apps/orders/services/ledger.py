"""The money ledger: each movement of money is posted once, with the change that it comes from.

Amounts are in minor units; a positive one is a debit. Whoever calls holds the order's lock.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.orders.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
    Order,
    PaymentAttempt,
    Refund,
    StrayPayment,
)
from apps.orders.pricing.amounts import allocate
from apps.orders.selectors.ledger import balances_of
from apps.orders.services.postings import post
from apps.orders.services.transitions import locked
from apps.orders.states import AttemptStatus, OrderStatus, RefundStatus

Kind = LedgerPosting.Kind
MONEY_AT = {"stripe": LedgerAccount.STRIPE}
SET_ASIDE = (AttemptStatus.AUTHORISED, AttemptStatus.CAPTURE_IN_FLIGHT, AttemptStatus.CAPTURED)
SOLD = (OrderStatus.PAID, OrderStatus.FULFILLING, OrderStatus.COMPLETED)
# Revenue without tax: what a refund takes back is posted beside it, not on its lines.
REVENUE = (
    LedgerAccount.SALES,
    LedgerAccount.DISCOUNTS,
    LedgerAccount.SHIPPING,
    LedgerAccount.REFUNDS,
)


def post_authorisation(attempt: PaymentAttempt, *, at: datetime | None = None) -> None:
    """Money was set aside on the shopper's card: a memorandum, it is not ours yet."""
    post(
        Kind.AUTHORISATION,
        attempt.pk,
        {
            LedgerAccount.AUTHORISED: attempt.amount_minor,
            LedgerAccount.AUTHORISATIONS: -attempt.amount_minor,
        },
        order_id=attempt.order_id,
        currency=attempt.currency,
        at=at,
    )


def post_void(attempt: PaymentAttempt) -> None:
    """What was set aside is free again, if anything was."""
    if not LedgerPosting.objects.filter(source_id=attempt.pk, kind=Kind.AUTHORISATION).exists():
        return
    post(
        Kind.VOID,
        attempt.pk,
        _no_longer_set_aside(attempt),
        order_id=attempt.order_id,
        currency=attempt.currency,
    )


def post_capture(
    order: Order, attempt: PaymentAttempt, *, sold: bool, at: datetime | None = None
) -> None:
    """Money has come: for the order, or, unless it is `sold`, for nothing."""
    received = attempt.amount_minor
    entries = {
        **_no_longer_set_aside(attempt),
        MONEY_AT[attempt.provider]: received,
        **(_sale(order, received=received) if sold else {LedgerAccount.UNAPPLIED: -received}),
    }
    post(Kind.CAPTURE, attempt.pk, entries, order_id=order.pk, currency=attempt.currency, at=at)


def post_sale(order: Order) -> None:
    """Stored value pays for all of the order: it is sold without a payment."""
    post(
        Kind.SALE,
        order.pk,
        _sale(order, received=0),
        order_id=order.pk,
        currency=order.currency,
    )


def taken_back(order_id: UUID, minor: int) -> dict[LedgerAccount, int]:
    """Return what giving back takes off an order: what was for nothing first, then revenue and tax
    in proportion.
    """
    held = balances_of(order_id)
    unapplied = min(-held[LedgerAccount.UNAPPLIED], minor)
    revenue = -sum(held[account] for account in REVENUE)
    of_revenue, of_tax = allocate(minor - unapplied, [revenue, -held[LedgerAccount.TAX]])
    return {
        LedgerAccount.UNAPPLIED: unapplied,
        LedgerAccount.REFUNDS: of_revenue,
        LedgerAccount.TAX: of_tax,
    }


def post_refund_promise(order_id: UUID, refund: Refund, *, at: datetime | None = None) -> None:
    """Money is owed back to who has paid."""
    post(
        Kind.REFUND_PROMISE,
        refund.pk,
        {
            **taken_back(order_id, refund.amount_minor),
            LedgerAccount.REFUNDS_PAYABLE: -refund.amount_minor,
        },
        order_id=order_id,
        currency=refund.currency,
        at=at,
    )


def post_refund(order_id: UUID, refund: Refund, *, at: datetime | None = None) -> None:
    """The money that was owed has gone back."""
    post(
        Kind.REFUND,
        refund.pk,
        {
            LedgerAccount.REFUNDS_PAYABLE: refund.amount_minor,
            MONEY_AT[refund.attempt.provider]: -refund.amount_minor,
        },
        order_id=order_id,
        currency=refund.currency,
        at=at,
    )


def post_refund_failure(order_id: UUID, refund: Refund) -> None:
    """The money stays here after all: the promise is taken back, entry by entry."""
    promised = LedgerEntry.objects.filter(
        posting__source_id=refund.pk, posting__kind=Kind.REFUND_PROMISE
    )
    post(
        Kind.REFUND_FAILURE,
        refund.pk,
        {LedgerAccount(entry.account): -entry.amount_minor for entry in promised},
        order_id=order_id,
        currency=refund.currency,
    )


def post_stray_capture(stray: StrayPayment, *, amount_minor: int) -> None:
    """Money was found at the provider that belongs to no order that we know; it is owed back."""
    post(
        Kind.CAPTURE,
        stray.pk,
        {
            MONEY_AT[stray.provider]: amount_minor,
            LedgerAccount.REFUNDS_PAYABLE: -amount_minor,
        },
        order_id=None,
        currency=stray.currency,
    )


def post_stray_return(stray: StrayPayment) -> None:
    """The money that was found has gone back, entry by entry."""
    found = LedgerEntry.objects.filter(posting__source_id=stray.pk, posting__kind=Kind.CAPTURE)
    post(
        Kind.REFUND,
        stray.pk,
        {LedgerAccount(entry.account): -entry.amount_minor for entry in found},
        order_id=None,
        currency=stray.currency,
    )


@transaction.atomic
def complete(order_id: UUID) -> int:
    """Post what an order's payments and refunds say and the ledger does not have yet.

    For orders that are older than the ledger. Returns how many postings were missing.
    """
    order = locked(order_id)
    attempts = list(order.attempts.order_by("created_at", "id"))
    refunds = list(
        Refund.objects.filter(attempt__order=order)
        .exclude(status=RefundStatus.FAILED)
        .select_related("attempt")
        .order_by("created_at", "id")
    )
    sources = [row.pk for row in (*attempts, *refunds)]
    known = LedgerPosting.objects.filter(source_id__in=sources).values_list("source_id", "kind")
    there = set(known)
    paid_at = order.history.filter(to_status=OrderStatus.PAID).values_list("at", flat=True).first()
    sold = paid_at is not None or order.status in SOLD
    for attempt in attempts:
        if attempt.status in SET_ASIDE and (attempt.pk, Kind.AUTHORISATION) not in there:
            post_authorisation(attempt, at=attempt.created_at)
        if attempt.status == AttemptStatus.CAPTURED and (attempt.pk, Kind.CAPTURE) not in there:
            at = paid_at or attempt.created_at
            post_capture(order, attempt, sold=sold, at=at)
    for refund in refunds:
        if (refund.pk, Kind.REFUND_PROMISE) not in there:
            post_refund_promise(order.pk, refund, at=refund.created_at)
        succeeded = refund.status == RefundStatus.SUCCEEDED
        if succeeded and (refund.pk, Kind.REFUND) not in there:
            post_refund(order.pk, refund, at=refund.created_at)
    return LedgerPosting.objects.filter(source_id__in=sources).count() - len(there)


def _no_longer_set_aside(attempt: PaymentAttempt) -> dict[LedgerAccount, int]:
    return {
        LedgerAccount.AUTHORISED: -attempt.amount_minor,
        LedgerAccount.AUTHORISATIONS: attempt.amount_minor,
    }


def _sale(order: Order, *, received: int) -> dict[LedgerAccount, int]:
    """What is earned is without tax, whether the prices hold it or it came on top.

    It is paid by what was received, and by the stored value that was set aside for it.
    """
    tax = order.tax_minor + order.tax_included_minor
    shipping = order.shipping_minor - (order.shipping_tax_minor if order.tax_included_minor else 0)
    paid = received + order.tendered_minor
    return {
        LedgerAccount.TENDERED: order.tendered_minor,
        LedgerAccount.SALES: shipping + tax - paid - order.discount_minor,
        LedgerAccount.DISCOUNTS: order.discount_minor,
        LedgerAccount.SHIPPING: -shipping,
        LedgerAccount.TAX: -tax,
    }
