"""What gift cards and store credit must agree with: their movements, the ledger, and orders."""

from collections import Counter
from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from apps.orders.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
    Order,
    OrderTender,
    StoredValue,
    ValueMovement,
)
from apps.orders.services.ledger_proof import Difference
from apps.orders.services.value_movements import OWED
from apps.orders.states import OrderStatus

ENDED_UNPAID = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


def wrong_balances() -> Iterator[Difference]:
    """Yield balances that are not the sum of their movements, and movements without a posting."""
    moved = Coalesce(Sum("movements__amount_minor"), 0)
    for account in StoredValue.objects.annotate(moved=moved).exclude(balance_minor=F("moved")):
        yield Difference(str(account), f"{account.balance_minor}, but {account.moved} moved")
    posted = LedgerPosting.objects.filter(
        source_id=OuterRef("pk"), kind=LedgerPosting.Kind.STORED_VALUE
    )
    for movement in ValueMovement.objects.filter(~Exists(posted)):
        yield Difference(f"movement {movement.pk}", f"{movement} is not posted")


def wrong_liabilities() -> Iterator[Difference]:
    """Yield where what the ledger owes on balances is not what is on them."""
    owed: Counter[tuple[str, str]] = Counter()
    rows = LedgerEntry.objects.filter(account__in=OWED.values()).values_list("account", "currency")
    for account, currency, minor in rows.annotate(Sum("amount_minor")).order_by():
        owed[account, currency] -= int(minor)
    kinds = StoredValue.objects.values_list("kind", "currency").order_by()
    for kind, currency, minor in kinds.annotate(Sum("balance_minor")):
        owed[OWED[StoredValue.Kind(kind)], currency] -= int(minor)
    for (account, currency), minor in owed.items():
        if minor:
            name = f"{LedgerAccount(account).value} in {currency}"
            yield Difference(name, f"the ledger owes {minor} more than there is")


def wrong_tenders(orders: QuerySet[Order]) -> Iterator[Difference]:
    """Yield orders whose tenders are not what they say, or are held although nobody paid."""
    paid = Coalesce(Sum("tenders__amount_minor"), 0)
    tendered = orders.annotate(by_tenders=paid).filter(
        Q(tendered_minor__gt=0) | Q(by_tenders__gt=0)
    )
    held = dict(
        LedgerEntry.objects.filter(order__in=orders, account=LedgerAccount.TENDERED)
        .values_list("order")
        .annotate(Sum("amount_minor"))
        .order_by()
    )
    for order in tendered:
        if order.by_tenders != order.tendered_minor:
            detail = f"{order.tendered_minor}, but {order.by_tenders} by tenders"
            yield Difference(str(order), detail)
        waiting = order.tendered_minor if order.status == OrderStatus.PENDING_PAYMENT else 0
        if -int(held.get(order.pk, 0)) != waiting:
            yield Difference(str(order), f"{-int(held.get(order.pk, 0))} set aside, not {waiting}")
    kept = OrderTender.objects.filter(order__in=orders, order__status__in=ENDED_UNPAID)
    for tender in kept.exclude(returned_minor=F("amount_minor")).select_related("order"):
        detail = f"{tender.returned_minor} of {tender.amount_minor} given back"
        yield Difference(str(tender.order), detail)
