"""The only place that changes an order's status."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db.models import F

from apps.kernel.errors import Conflict
from apps.kernel.events import Event, publish
from apps.kernel.prepared import prepared
from apps.orders.models import Order, StatusChange
from apps.orders.selectors.exchanges import payer_of
from apps.orders.services.tenders import give_all_back
from apps.orders.services.uses import release_uses
from apps.orders.states import ORDER_FOLLOWS, OrderStatus


class OrderStatusConflict(Conflict):
    """An order in this status cannot do that."""

    code = "order_status_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(Event):
    """Something happened to an order."""

    order_id: UUID


class OrderPlaced(OrderEvent):
    name: ClassVar[str] = "orders.order_placed"


class OrderPaid(OrderEvent):
    name: ClassVar[str] = "orders.order_paid"


class OrderFulfilling(OrderEvent):
    name: ClassVar[str] = "orders.order_fulfilling"


class OrderShipped(OrderEvent):
    name: ClassVar[str] = "orders.order_shipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCompleted(OrderEvent):
    """The goods have arrived: whose they are (empty for a guest), and what they are."""

    name: ClassVar[str] = "orders.order_completed"
    customer_id: UUID | None
    product_ids: list[UUID]


class OrderCancelled(OrderEvent):
    name: ClassVar[str] = "orders.order_cancelled"


class OrderExpired(OrderEvent):
    name: ClassVar[str] = "orders.order_expired"


EVENTS: dict[OrderStatus, type[OrderEvent]] = {
    OrderStatus.PENDING_PAYMENT: OrderPlaced,
    OrderStatus.PAID: OrderPaid,
    OrderStatus.FULFILLING: OrderFulfilling,
    OrderStatus.CANCELLED: OrderCancelled,
    OrderStatus.EXPIRED: OrderExpired,
}


def move(
    order: Order, target: OrderStatus, *, actor_id: UUID | None = None, reason: str = ""
) -> None:
    """Move a locked order on: status, version, history and event, in the caller's transaction.

    What ends unpaid gives back the uses and budgets of its promotions, and what gift cards and
    store credit were to pay.
    Raises OrderStatusConflict when the order's life has no such step.
    """
    before = OrderStatus(order.status)
    if target not in ORDER_FOLLOWS[before]:
        raise OrderStatusConflict(f"The order is {before}.", status=before)
    Order.objects.filter(pk=order.pk).update(status=target, version=F("version") + 1)
    order.status, order.version = target, order.version + 1
    if before == OrderStatus.PENDING_PAYMENT and target != OrderStatus.PAID:
        release_uses(order)
        give_all_back(order, source_id=order.pk)
    record(order, target, before=before, actor_id=actor_id, reason=reason)


def record(
    order: Order,
    status: OrderStatus,
    *,
    before: OrderStatus | None,
    actor_id: UUID | None,
    reason: str,
) -> None:
    """Write the history and publish the event of a status that the order has taken."""
    with prepared(in_transactions=True):
        StatusChange.objects.create(
            order=order,
            from_status=before or "",
            to_status=status,
            actor_id=actor_id,
            reason=reason[:200],
        )
    publish(_event_of(order, status), aggregate_id=order.pk)


def _event_of(order: Order, status: OrderStatus) -> OrderEvent:
    if status != OrderStatus.COMPLETED:
        return EVENTS[status](order_id=order.pk)
    return OrderCompleted(
        order_id=order.pk,
        customer_id=order.customer_id,
        product_ids=list(order.lines.values_list("product_id", flat=True).distinct()),
    )


def locked(order_id: UUID) -> Order:
    """Lock an order. Everyone locks the order first, so that nobody waits in a circle.

    With a replacement the order is locked whose money pays for it.
    """
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.exchanged_minor:
        locked(payer_of(order_id))
    return order
