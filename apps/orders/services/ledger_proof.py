"""What the ledger must agree with: payments, refunds, and itself."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from apps.orders.models import LedgerAccount, LedgerEntry, Order, PaymentAttempt, Refund
from apps.orders.services.ledger import MONEY_AT
from apps.orders.states import AttemptStatus, RefundStatus

BATCH = 1_000
SET_ASIDE = (AttemptStatus.AUTHORISED, AttemptStatus.CAPTURE_IN_FLIGHT)
PROVED = (*MONEY_AT.values(), LedgerAccount.REFUNDS_PAYABLE, LedgerAccount.AUTHORISED)

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
            for account in PROVED:
                if account == LedgerAccount.AUTHORISED and order_id in voided:
                    continue
                here, there = booked[order_id, account], expected[order_id, account]
                if here != there:
                    yield Difference(str(order), f"{account}: {here} posted, not {there}")


def wrong_refunds(orders: QuerySet[Order]) -> Iterator[Difference]:
    """Yield payments of which more is promised back than was captured, or is counted wrongly."""
    attempts = PaymentAttempt.objects.filter(order__in=orders).annotate(
        promised_minor=Sum(
            "refunds__amount_minor", filter=~Q(refunds__status=RefundStatus.FAILED), default=0
        )
    )
    too_much = Q(promised_minor__gt=F("amount_minor")) | (
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
    entries = LedgerEntry.objects.filter(order__in=orders, account__in=PROVED)
    rows = entries.values_list("order_id", "account").annotate(Sum("amount_minor")).order_by()
    return Counter({(order_id, account): int(minor) for order_id, account, minor in rows})


def _expected(orders: dict[UUID, Order]) -> tuple[Holdings, set[UUID]]:
    """Return what the accounts must hold, and whose card is being freed: that may be posted."""
    holdings: Holdings = Counter()
    voided: set[UUID] = set()
    for attempt in PaymentAttempt.objects.filter(order__in=orders):
        if attempt.status == AttemptStatus.CAPTURED:
            holdings[attempt.order_id, MONEY_AT[attempt.provider]] += attempt.amount_minor
        elif attempt.status in SET_ASIDE:
            holdings[attempt.order_id, LedgerAccount.AUTHORISED] += attempt.amount_minor
        elif attempt.status == AttemptStatus.VOID_IN_FLIGHT:
            voided.add(attempt.order_id)
    refunds = Refund.objects.filter(attempt__order__in=orders).select_related("attempt")
    for refund in refunds.exclude(status=RefundStatus.FAILED):
        order_id, provider = refund.attempt.order_id, refund.attempt.provider
        done = refund.status == RefundStatus.SUCCEEDED
        account = MONEY_AT[provider] if done else LedgerAccount.REFUNDS_PAYABLE
        holdings[order_id, account] -= refund.amount_minor
    return holdings, voided
