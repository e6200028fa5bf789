"""The only place that changes a return's status."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from apps.kernel.audit import record
from apps.kernel.errors import Conflict
from apps.kernel.events import publish
from apps.orders.models import Order, Refund, Return
from apps.orders.selectors.returns import UnknownReturn
from apps.orders.services.transitions import OrderEvent, locked
from apps.orders.states import RETURN_FOLLOWS, ReturnStatus


class ReturnStatusConflict(Conflict):
    """A return in this status cannot do that."""

    code = "return_status_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnEvent(OrderEvent):
    """Something happened to a return."""

    return_id: UUID


class ReturnRequested(ReturnEvent):
    name: ClassVar[str] = "orders.return_requested"


class ReturnReceived(ReturnEvent):
    name: ClassVar[str] = "orders.return_received"


class ReturnClosed(ReturnEvent):
    name: ClassVar[str] = "orders.return_closed"


EVENTS: dict[ReturnStatus, type[ReturnEvent]] = {
    ReturnStatus.REQUESTED: ReturnRequested,
    ReturnStatus.RECEIVED: ReturnReceived,
    ReturnStatus.CLOSED: ReturnClosed,
}


def locked_return(return_id: UUID) -> Return:
    """Lock a return's order, then the return. Raises UnknownReturn."""
    order_id = Return.objects.filter(pk=return_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise UnknownReturn("There is no such return.")
    order = locked(order_id)
    found = Return.objects.select_for_update().get(pk=return_id)
    found.order = order
    return found


def step(found: Return, target: ReturnStatus, **values: Any) -> None:
    """Move a locked return on, with these values: status, audit and event.

    Raises ReturnStatusConflict when the return's life has no such step.
    """
    before = ReturnStatus(found.status)
    if target not in RETURN_FOLLOWS[before]:
        raise ReturnStatusConflict(f"The return is {before}.", status=before)
    Return.objects.filter(pk=found.pk).update(status=target, changed_at=Now(), **values)
    for name, value in {**values, "status": target}.items():
        setattr(found, name, value)
    note(found, before=before)


def note(found: Return, *, before: ReturnStatus | None) -> None:
    """Write the audit entry and publish the event of a status that the return has taken.

    The order is another version: what can come back of it has changed.
    """
    status = ReturnStatus(found.status)
    Order.objects.filter(pk=found.order_id).update(version=F("version") + 1)
    record(
        f"orders.return_{status}",
        about=found.pk,
        before={"status": before} if before else None,
        after={"status": status, "order": found.order_id},
    )
    if status in EVENTS:
        event = EVENTS[status](order_id=found.order_id, return_id=found.pk)
        publish(event, aggregate_id=found.order_id)


def close_return_of(refund: Refund) -> None:
    """Close the return that a refund was for, now that the money is back. The order is locked."""
    found = Return.objects.filter(refund=refund.pk, status=ReturnStatus.INSPECTED).first()
    if found is not None:
        step(found, ReturnStatus.CLOSED)
