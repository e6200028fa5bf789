"""What fees must agree with: captured payments, and the ledger."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.orders.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
    Order,
    PaymentAttempt,
    PaymentFee,
)
from apps.orders.payments.gateway import Fee
from apps.orders.services.ledger import MONEY_AT
from apps.orders.services.ledger_proof import Difference
from apps.orders.states import AttemptStatus

# In more than half a day of asking.
ASKED_OFTEN = 10


def wrong_fees(orders: QuerySet[Order]) -> Iterator[Difference]:
    """Yield payments whose fee nobody asks for or tells, or was posted otherwise than told."""
    fees = PaymentFee.objects.filter(attempt__order__in=orders)
    of_payment = PaymentFee.objects.filter(attempt=OuterRef("pk"))
    captured = PaymentAttempt.objects.filter(order__in=orders, status=AttemptStatus.CAPTURED)
    for attempt in captured.exclude(reference="").filter(~Exists(of_payment)):
        yield Difference(f"payment {attempt.pk}", "its fee is not asked for")
    for fee in fees.filter(amount_minor=None, tries__gte=ASKED_OFTEN):
        yield Difference(f"payment {fee.attempt_id}", f"its fee is not told, asked {fee.tries} x")
    posted = fees.annotate(
        told=Coalesce("amount_minor", 0),
        expense=_posted(LedgerAccount.FEES),
        kept=_posted(*MONEY_AT.values()),
        is_posted=Exists(_postings()),
    )
    for fee in posted.filter(
        ~Q(expense=F("told")) | ~Q(kept=-F("told")) | Q(amount_minor=None, is_posted=True)
    ):
        detail = f"fee {fee}: {fee.expense} posted, {fee.kept} at the provider"
        yield Difference(f"payment {fee.attempt_id}", detail)


def fees_told(provider: str) -> dict[UUID, Fee]:
    """Return the fees that a provider has told, by payment."""
    fees = PaymentFee.objects.filter(attempt__provider=provider, amount_minor__isnull=False)
    rows = fees.values_list("attempt_id", "amount_minor", "currency")
    return {attempt_id: Fee(minor or 0, currency) for attempt_id, minor, currency in rows}


def _postings() -> QuerySet[LedgerPosting]:
    return LedgerPosting.objects.filter(
        source_id=OuterRef("attempt_id"), kind=LedgerPosting.Kind.FEE
    )


def _posted(*accounts: LedgerAccount) -> Coalesce:
    entries = LedgerEntry.objects.filter(
        posting__source_id=OuterRef("attempt_id"),
        posting__kind=LedgerPosting.Kind.FEE,
        account__in=accounts,
        currency=OuterRef("currency"),
    )
    return Coalesce(Subquery(entries.values("amount_minor")[:1]), 0)
