"""Moving a balance: the movement, which the database adds to the balance, and its posting."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.db.models import F, Value
from django.db.models.functions import Now

from apps.orders.models import LedgerAccount, LedgerPosting, StoredValue, ValueMovement
from apps.orders.services.postings import post

OWED = {
    StoredValue.Kind.GIFT_CARD: LedgerAccount.GIFT_CARDS,
    StoredValue.Kind.STORE_CREDIT: LedgerAccount.STORE_CREDIT,
}
# What goes back to a card that has expired, or will soon, can still be used for so long.
USABLE_AGAIN_FOR = timedelta(days=30)


def move_value(
    account: StoredValue,
    kind: ValueMovement.Kind,
    amount_minor: int,
    *,
    source_id: UUID,
    against: Mapping[LedgerAccount, int],
    order_id: UUID | None = None,
    reason: str = "",
) -> ValueMovement:
    """Add to a balance, or take off it, once for a source; `against` says what it comes from.

    The database refuses what would overdraw it (stored_value_is_not_overdrawn).
    """
    movement = ValueMovement.objects.create(
        account=account,
        kind=kind,
        source_id=source_id,
        order_id=order_id,
        amount_minor=amount_minor,
        reason=reason[:200],
    )
    post(
        LedgerPosting.Kind.STORED_VALUE,
        movement.pk,
        {OWED[StoredValue.Kind(account.kind)]: -amount_minor, **against},
        order_id=order_id,
        currency=account.currency,
    )
    return movement


def keep_usable(account: StoredValue) -> None:
    """Let a card to which something goes back be used for a while, if its time is nearly over."""
    until = Now() + Value(USABLE_AGAIN_FOR)
    StoredValue.objects.filter(pk=account.pk, expires_at__lt=until).update(
        expires_at=until, version=F("version") + 1
    )


def store_credit_of(customer_id: UUID, currency: str) -> StoredValue:
    """Return a customer's store credit in a currency, locked; it is opened when there is none."""
    whose = {"customer_id": customer_id, "currency": currency}
    StoredValue.objects.bulk_create(
        [StoredValue(kind=StoredValue.Kind.STORE_CREDIT, **whose)], ignore_conflicts=True
    )
    return StoredValue.objects.select_for_update(no_key=True).get(**whose)
