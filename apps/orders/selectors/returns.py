"""Reads of returns: the one door to a return, and what can still be brought back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from apps.kernel.errors import NotFound
from apps.orders.models import Order, OrderLine, Return, ReturnLine, Shipment
from apps.orders.selectors.orders import Holder, orders_of
from apps.orders.states import ShipmentStatus

WITH_THE_SHOPPER = (ShipmentStatus.HANDED_OVER, ShipmentStatus.DELIVERED)


class UnknownReturn(NotFound):
    """There is no such return, or it is somebody else's."""

    code = "unknown_return"


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Whether something of an order can be brought back, until when, and of which lines.

    `refusal` is empty, or says why nothing can: not_handed_over, window_over, nothing_left.
    Until the parcel has arrived there is no end.
    """

    refusal: str
    until: datetime | None
    lines: list[OrderLine]


def eligibility_of(order: Order) -> Eligibility:
    """Return what of the order can be brought back at this moment. Two statements."""
    lines = list(order.lines.order_by("position"))
    parcel = order.shipments.filter(status__in=WITH_THE_SHOPPER).first()
    until = _end_of(parcel) if parcel else None
    if parcel is None:
        refusal = "not_handed_over"
    elif until is not None and until <= timezone.now():
        refusal = "window_over"
    elif not any(returnable(line) for line in lines):
        refusal = "nothing_left"
    else:
        refusal = ""
    return Eligibility(refusal, until, lines)


def returnable(line: OrderLine) -> int:
    """Return how many pieces of a line no return has asked for."""
    return line.quantity - line.returning_quantity


def _end_of(parcel: Shipment) -> datetime | None:
    if parcel.status != ShipmentStatus.DELIVERED:
        return None
    return (parcel.delivered_at or parcel.created_at) + settings.RETURN_WINDOW


def return_of(*, holder: Holder, return_id: UUID) -> Return:
    """Return the holder's return. Raises UnknownReturn."""
    found = Return.objects.filter(order__in=orders_of(holder=holder), pk=return_id).first()
    if found is None:
        raise UnknownReturn("There is no such return.")
    return found


def whole_returns(rows: QuerySet[Return]) -> QuerySet[Return]:
    """Return the returns with all that their documents show, in three statements."""
    lines = ReturnLine.objects.select_related("order_line", "exchange")
    found = rows.select_related("order", "refund", "replacement")
    return found.prefetch_related(Prefetch("lines", lines), "photos")
