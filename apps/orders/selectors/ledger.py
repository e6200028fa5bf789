"""Reads of the money ledger: what an account holds, of one order or of all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from apps.kernel.ids import first_id_of
from apps.orders.models import LedgerAccount, LedgerEntry, LedgerPosting, PaymentAttempt, Refund
from apps.orders.selectors.exchanges import lent_minor
from apps.orders.states import AttemptStatus, RefundStatus

# What an order has brought, by payments and by stored value, less what is given back of it.
BROUGHT = (
    *(LedgerAccount.UNAPPLIED, LedgerAccount.TAX, LedgerAccount.SALES),
    *(LedgerAccount.DISCOUNTS, LedgerAccount.SHIPPING, LedgerAccount.REFUNDS),
)
BATCH = 1_000
ENTRY_FIELDS = (
    *("id", "posting_id", "posting__kind", "posting__source_id", "posting__at"),
    *("account", "order_id", "amount_minor", "currency"),
)


@dataclass(frozen=True, slots=True)
class Balance:
    """What was ever debited and credited to an account in a currency."""

    account: str
    currency: str
    debits_minor: int
    credits_minor: int

    @property
    def balance_minor(self) -> int:
        """Debits less credits."""
        return self.debits_minor - self.credits_minor


def balances_of(order_id: UUID) -> Mapping[str, int]:
    """Return what each account holds of an order, in minor units. One statement."""
    rows = LedgerEntry.objects.filter(order=order_id).values_list("account").order_by()
    held = dict(rows.annotate(Sum("amount_minor")))
    return {account: int(held.get(account, 0)) for account in LedgerAccount.values}


def refundable_minor(order_id: UUID) -> int:
    """Return how much of an order's money, and stored value, can still be given back.

    What pays for a replacement goes back of that alone.
    """
    entries = LedgerEntry.objects.filter(order=order_id, account__in=BROUGHT)
    brought = -int(entries.aggregate(minor=Sum("amount_minor"))["minor"] or 0)
    return brought - lent_minor(order_id)


def trial_balance(*, at: datetime | None = None) -> list[Balance]:
    """Return the accounts that were ever used before a moment, or up to now; in sum nothing."""
    entries = LedgerEntry.objects.all()
    if at is not None:
        entries = entries.filter(pk__lt=first_id_of(at))
    rows = (
        entries.values("account", "currency")
        .annotate(
            debits=Sum("amount_minor", filter=Q(amount_minor__gt=0), default=0),
            credits=Sum("amount_minor", filter=Q(amount_minor__lt=0), default=0),
        )
        .order_by("currency", "account")
    )
    return [
        Balance(row["account"], row["currency"], int(row["debits"]), -int(row["credits"]))
        for row in rows
    ]


def entries_between(
    since: datetime | None, until: datetime | None
) -> QuerySet[LedgerEntry, dict[str, Any]]:
    """Return the entries from one moment on, up to before another one, with their postings."""
    # An entry's id begins with the moment, so no other index is needed.
    entries = LedgerEntry.objects.all()
    if since is not None:
        entries = entries.filter(pk__gte=first_id_of(since))
    if until is not None:
        entries = entries.filter(pk__lt=first_id_of(until))
    return entries.values(*ENTRY_FIELDS)


def orders_without_postings() -> Iterator[UUID]:
    """Yield the orders of which money moved that the ledger does not know; some more than once."""
    kinds = LedgerPosting.Kind
    captured = PaymentAttempt.objects.filter(~_posted(kinds.CAPTURE), status=AttemptStatus.CAPTURED)
    held = PaymentAttempt.objects.filter(
        ~_posted(kinds.AUTHORISATION),
        status__in=[AttemptStatus.AUTHORISED, AttemptStatus.CAPTURE_IN_FLIGHT],
    )
    promised = Refund.objects.filter(~_posted(kinds.REFUND_PROMISE)).exclude(
        status=RefundStatus.FAILED
    )
    returned = Refund.objects.filter(~_posted(kinds.REFUND), status=RefundStatus.SUCCEEDED)
    for rows, order in (
        *((captured, "order_id"), (held, "order_id")),
        *((promised, "attempt__order_id"), (returned, "attempt__order_id")),
    ):
        yield from rows.order_by().values_list(order, flat=True).iterator(chunk_size=BATCH)


def _posted(kind: LedgerPosting.Kind) -> Exists:
    return Exists(LedgerPosting.objects.filter(source_id=OuterRef("pk"), kind=kind))
