"""What the ledger must agree with: payments, refunds, and itself."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from apps.orders.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
    Order,
    PaymentAttempt,
    Refund,
)
from apps.orders.services.ledger import MONEY_AT
from apps.orders.states import AttemptStatus, RefundStatus

BATCH = 1_000
SET_ASIDE = (AttemptStatus.AUTHORISED, AttemptStatus.CAPTURE_IN_FLIGHT)
MONEY, PAYABLE, AUTHORISED = "money at providers", "refunds payable", "authorised"
PROVED = {
    **dict.fromkeys(MONEY_AT.values(), MONEY),
    LedgerAccount.REFUNDS_PAYABLE: PAYABLE,
    LedgerAccount.AUTHORISED: AUTHORISED,
}

Holdings = Counter[tuple[UUID, str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the ledger says, and that is not so."""

    subject: str
    detail: str


def ledger_differences(orders: QuerySet[Order]) -> Iterator[Difference]:
    """Yield where an order's accounts are not what its payments and refunds come to."""
    rows = orders.iterator(chunk_size=BATCH)
    while some := {order.pk: order for order in islice(rows, BATCH)}:
        booked, expected, voided = _booked(some), *_expected(some)
        for order_id, order in some.items():
            for name in dict.fromkeys(PROVED.values()):
                here, there = booked[order_id, name], expected[order_id, name]
                if here != there and not (name == AUTHORISED and order_id in voided):
                    yield Difference(str(order), f"{name}: {here} posted, not {there}")


def wrong_refunds(orders: QuerySet[Order]) -> Iterator[Difference]:
    """Yield payments of which more is promised back than was captured, or is counted wrongly."""
    attempts = PaymentAttempt.objects.filter(order__in=orders).annotate(
        promised_minor=Sum(
            "refunds__amount_minor", filter=~Q(refunds__status=RefundStatus.FAILED), default=0
        )
    )
    too_much = Q(promised_minor__gt=F("amount_minor") - F("credited_minor")) | (
        Q(promised_minor__gt=0) & ~Q(status=AttemptStatus.CAPTURED)
    )
    for attempt in attempts.filter(too_much | ~Q(promised_minor=F("refund_promised_minor"))):
        detail = f"{attempt.promised_minor} of {attempt.amount_minor} {attempt.status}"
        yield Difference(f"payment {attempt.pk}", detail)


def unbalanced_postings(orders: QuerySet[Order]) -> Iterator[Difference]:
    """Yield postings that are not zero in sum, of the orders and of no order."""
    entries = LedgerEntry.objects.filter(Q(order__in=orders) | Q(order=None))
    sums = entries.values("posting", "currency").annotate(minor=Sum("amount_minor")).order_by()
    for row in sums.exclude(minor=0):
        yield Difference(f"posting {row['posting']}", f"{row['minor']} {row['currency']}")


def _booked(orders: dict[UUID, Order]) -> Holdings:
    # Fees are proved by themselves: they may be in another currency.
    entries = LedgerEntry.objects.filter(order__in=orders, account__in=PROVED).exclude(
        posting__kind=LedgerPosting.Kind.FEE
    )
    rows = entries.values_list("order_id", "account").annotate(Sum("amount_minor")).order_by()
    holdings: Holdings = Counter()
    for order_id, account, minor in rows:
        holdings[order_id, PROVED[LedgerAccount(account)]] += int(minor)
    return holdings


def _expected(orders: dict[UUID, Order]) -> tuple[Holdings, set[UUID]]:
    """Return what the accounts must hold, and whose card is being freed: that may be posted."""
    holdings: Holdings = Counter()
    voided: set[UUID] = set()
    for attempt in PaymentAttempt.objects.filter(order__in=orders):
        if attempt.status == AttemptStatus.CAPTURED:
            holdings[attempt.order_id, MONEY] += attempt.amount_minor
        elif attempt.status in SET_ASIDE:
            holdings[attempt.order_id, AUTHORISED] += attempt.amount_minor
        elif attempt.status == AttemptStatus.VOID_IN_FLIGHT:
            voided.add(attempt.order_id)
    refunds = Refund.objects.filter(attempt__order__in=orders).select_related("attempt")
    for refund in refunds.exclude(status=RefundStatus.FAILED):
        name = MONEY if refund.status == RefundStatus.SUCCEEDED else PAYABLE
        holdings[refund.attempt.order_id, name] -= refund.amount_minor
    return holdings, voided
