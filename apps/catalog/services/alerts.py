"""Everything that changes alerts: customers wait for variants, and are told once."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from apps.catalog.models import StockAlert
from apps.catalog.selectors.alerts import alerts_of
from apps.catalog.selectors.offers import Offer, offers
from apps.catalog.services.stock import UnknownVariant
from apps.kernel.errors import Conflict, NotFound

MOST = 100
IN_STOCK = ("in_stock", "low_stock")


class UnknownAlert(NotFound):
    """There is no such alert, or it is somebody else's."""

    code = "unknown_alert"


class AvailableAlready(Conflict):
    """The variant is in stock: nothing to wait for."""

    code = "available_already"


class TooManyAlerts(Conflict):
    """Somebody waits for as many variants as one may."""

    code = "too_many_alerts"


@dataclass(frozen=True, slots=True)
class BackInStock:
    """Somebody waited for a variant, and it can be bought again."""

    customer_id: UUID
    offer: Offer


@transaction.atomic
def set_alert(*, customer_id: UUID, variant_id: UUID) -> tuple[dict[str, Any], bool]:
    """Let the customer be told when the variant is there again.

    Returns the alert, and whether it is new: there is one for a customer and a variant.
    Raises UnknownVariant, also for what is not sold; AvailableAlready; TooManyAlerts.
    """
    offer = offers(variant_ids=[variant_id]).get(variant_id)
    if offer is None:
        raise UnknownVariant("There is no such variant.")
    if offer.availability in IN_STOCK:
        raise AvailableAlready("It is in stock.", sku=offer.sku)
    with connection.cursor() as cursor:
        # Whoever sets two at once may not pass the limit between them.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(customer_id)])
    mine = alerts_of(customer_id=customer_id)
    if (there := mine.filter(variant=variant_id).first()) is not None:
        return there, False
    if mine.count() >= MOST:
        raise TooManyAlerts(f"One person waits for at most {MOST} variants.")
    # Due at once: the goods may have come while this was being asked.
    new = StockAlert.objects.create(customer_id=customer_id, variant_id=variant_id, due_at=Now())
    return mine.get(pk=new.pk), True


def remove_alert(*, customer_id: UUID, alert_id: UUID) -> None:
    """Stop waiting. Raises UnknownAlert, also for somebody else's."""
    if not StockAlert.objects.filter(customer_id=customer_id, pk=alert_id).delete()[0]:
        raise UnknownAlert("There is no such alert of yours.")


def look_after_alerts(*, product_id: UUID) -> None:
    """Let the alerts of a product be looked at: its offer or its stock has changed."""
    StockAlert.objects.filter(variant__product=product_id).update(due_at=Now())


def take_due_alerts(*, limit: int) -> tuple[BackInStock, ...] | None:
    """Take alerts that are due: those whose variant is back go, the others wait on.

    Returns the former, or None when nothing was due. The caller's transaction writes the mails,
    so that each customer is told once.
    """
    due = list(
        StockAlert.objects.select_for_update(skip_locked=True)
        .filter(due_at__lte=Now())
        .order_by("due_at")[:limit]
    )
    if not due:
        return None
    # Read after the rows are locked: what comes from now on makes them due again.
    known = offers(variant_ids={alert.variant_id for alert in due})
    back = {pk for pk, offer in known.items() if offer.availability in IN_STOCK}
    told = [alert for alert in due if alert.variant_id in back]
    StockAlert.objects.filter(pk__in=[alert.pk for alert in due]).update(due_at=None)
    StockAlert.objects.filter(pk__in=[alert.pk for alert in told]).delete()
    return tuple(BackInStock(alert.customer_id, known[alert.variant_id]) for alert in told)
