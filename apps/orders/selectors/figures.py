"""Figures of the shop and of its open work, cheap enough to be asked every few seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Model, Sum
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.figures import OpenWork, open_rows
from apps.kernel.ids import first_id_of
from apps.orders.models import (
    BillingDocument,
    Cart,
    PaymentAttempt,
    PaymentFee,
    PromotionSimulation,
    Refund,
    ReturnPhotoWork,
    Shipment,
    StatusChange,
    StrayPayment,
    WebhookEvent,
)

WORK: dict[str, tuple[type[Model], str]] = {
    "document": (BillingDocument, "created_at"),
    "fee": (PaymentFee, "created_at"),
    "payment": (PaymentAttempt, "created_at"),
    "promotion_simulation": (PromotionSimulation, "created_at"),
    "refund": (Refund, "created_at"),
    "return_photo": (ReturnPhotoWork, "next_action_at"),
    "shipment": (Shipment, "created_at"),
    "stray_payment": (StrayPayment, "created_at"),
    "webhook": (WebhookEvent, "received_at"),
}


@dataclass(frozen=True, slots=True)
class Steps:
    """How many orders have taken one step in their lives, and what they amount to.

    What goods that came back have paid for was counted with the order that these were from.
    """

    from_status: str
    to_status: str
    currency: str
    orders: int
    amount_minor: int


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
    new = F("order__grand_total_minor") - F("order__exchanged_minor")
    summed = rows.annotate(orders=Count("pk"), amount=Sum(new))
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
    return [open_rows(kind, model, since=since) for kind, (model, since) in WORK.items()]


def open_payments() -> list[PaymentsByStatus]:
    """Return the payments that are not finished, by status."""
    rows = PaymentAttempt.objects.filter(next_action_at__isnull=False).values("status").order_by()
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


def _age(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0
