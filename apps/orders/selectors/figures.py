"""Figures of the shop and of its open work, cheap enough to be asked every few seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Model, Q, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.ids import first_id_of
from apps.orders.models import (
    BillingDocument,
    Cart,
    PaymentAttempt,
    PaymentFee,
    Refund,
    Shipment,
    StatusChange,
    StrayPayment,
    WebhookEvent,
)

WORK: dict[str, type[Model]] = {
    "document": BillingDocument,
    "fee": PaymentFee,
    "payment": PaymentAttempt,
    "refund": Refund,
    "shipment": Shipment,
    "stray_payment": StrayPayment,
    "webhook": WebhookEvent,
}


@dataclass(frozen=True, slots=True)
class Steps:
    """How many orders have taken one step in their lives, and what they amount to."""

    from_status: str
    to_status: str
    currency: str
    orders: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Rows of one kind that wait for a worker. Ages are in seconds; 0 when there is none."""

    kind: str
    open: int
    due: int
    oldest_due: float
    oldest: float


@dataclass(frozen=True, slots=True)
class PaymentsByStatus:
    """Payments that are not finished, and since when the oldest of them is open, in seconds."""

    status: str
    payments: int
    oldest: float


@dataclass(frozen=True, slots=True)
class RefundsByStatus:
    """Refunds of one status and currency."""

    status: str
    currency: str
    refunds: int
    amount_minor: int


def newest_settled_step(*, older_than: timedelta) -> int:
    """Return the id of the newest step of at least that age, or 0.

    Ids are given before their transaction commits. When `older_than` is longer than any
    transaction may last, no step up to this one can still appear.
    """
    settled = StatusChange.objects.filter(at__lt=Now() - older_than)
    return settled.order_by("-pk").values_list("pk", flat=True).first() or 0


def steps(*, after: int, through: int | None = None) -> list[Steps]:
    """Return what happened to orders after a step and, if named, up to another one."""
    taken = StatusChange.objects.filter(pk__gt=after)
    if through is not None:
        taken = taken.filter(pk__lte=through)
    rows = taken.values("from_status", "to_status", "order__currency").order_by()
    summed = rows.annotate(orders=Count("pk"), amount=Sum("order__grand_total_minor"))
    return [
        Steps(
            row["from_status"],
            row["to_status"],
            row["order__currency"],
            row["orders"],
            int(row["amount"]),
        )
        for row in summed
    ]


def carts_begun(*, since: datetime | None, until: datetime | None = None) -> int:
    """Return how many carts were begun from one moment on, up to before another one."""
    carts = Cart.objects.all()
    if since is not None:
        carts = carts.filter(pk__gte=first_id_of(since))
    if until is not None:
        carts = carts.filter(pk__lt=first_id_of(until))
    return carts.count()


def open_work() -> list[OpenWork]:
    """Return how much work of each kind is open, and how long the oldest has been due."""
    return [_open_work(kind, model) for kind, model in WORK.items()]


def open_payments() -> list[PaymentsByStatus]:
    """Return the payments that are not finished, by status."""
    rows = _open(PaymentAttempt).values("status").order_by()
    return [
        PaymentsByStatus(row["status"], row["payments"], _age(row["oldest"]))
        for row in rows.annotate(payments=Count("pk"), oldest=Min("created_at"))
    ]


def refunds_by_status() -> list[RefundsByStatus]:
    """Return all refunds that were ever begun, by status and currency."""
    rows = Refund.objects.values("status", "currency").order_by()
    return [
        RefundsByStatus(row["status"], row["currency"], row["refunds"], int(row["amount"]))
        for row in rows.annotate(refunds=Count("pk"), amount=Sum("amount_minor"))
    ]


def _open_work(kind: str, model: type[Model]) -> OpenWork:
    born = "received_at" if model is WebhookEvent else "created_at"
    found = _open(model).aggregate(
        open=Count("pk"),
        due=Count("pk", filter=Q(next_action_at__lte=Now())),
        oldest_due=Min("next_action_at", filter=Q(next_action_at__lte=Now())),
        oldest=Min(born),
    )
    return OpenWork(
        kind, found["open"], found["due"], _age(found["oldest_due"]), _age(found["oldest"])
    )


def _open(model: type[Model]) -> QuerySet[Model]:
    # The condition of the partial indexes `…_due`: finished rows are not even looked at.
    return model._default_manager.filter(next_action_at__isnull=False)


def _age(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0
