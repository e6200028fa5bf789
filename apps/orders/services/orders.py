"""Ending an order early: the shopper cancels it, or nobody pays."""

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from apps.catalog import interface as catalog
from apps.kernel.audit import record
from apps.kernel.errors import Forbidden, StepUpRequired, VersionMismatch
from apps.orders.models import Order
from apps.orders.selectors.orders import Holder, order_of
from apps.orders.services.payments import wake_payments
from apps.orders.services.refunds import lock_balances, refund_remaining
from apps.orders.services.transitions import OrderStatusConflict, locked, move
from apps.orders.states import AttemptStatus, OrderStatus, ShipmentStatus

NOT_TO_INTERRUPT = (AttemptStatus.AUTHORISED, AttemptStatus.CAPTURE_IN_FLIGHT)


class CancellationNotAllowed(Forbidden):
    """You may see this order, but not cancel it."""

    code = "cancellation_not_allowed"


class RefundNotAllowed(Forbidden):
    """The order is paid, and you may not send money back."""

    code = "refund_not_allowed"


@transaction.atomic
def cancel_order(
    *,
    holder: Holder,
    order_id: UUID,
    reason: str = "",
    actor_id: UUID | None = None,
    version: int | None = None,
) -> Order:
    """Cancel an order that is not on its way: stock goes back, and what was paid.

    Raises UnknownOrder, VersionMismatch, OrderStatusConflict once a label has been bought;
    CancellationNotAllowed and RefundNotAllowed for staff without the right; StepUpRequired for
    staff who send money back and have not proven who they are for a while.
    """
    order = locked(order_of(holder=holder, order_id=order_id).pk)
    has_money = holds_money(order)
    if not holder.bought(order):
        if not holder.cancels_all:
            raise CancellationNotAllowed("You may see this order, but not cancel it.")
        if has_money:
            if not holder.refunds_all:
                raise RefundNotAllowed("The order is paid, and you may not send money back.")
            if not holder.recently_proven:
                raise StepUpRequired("Prove who you are once more: POST /api/v1/auth/step-up.")
    if version is not None and version != order.version:
        raise VersionMismatch("The order has changed since.", version=order.version)
    refuse_once_shipping(order)
    record(
        "orders.order_cancelled",
        about=order.pk,
        before={"status": order.status},
        after={"status": OrderStatus.CANCELLED},
    )
    move(order, OrderStatus.CANCELLED, actor_id=actor_id, reason=reason)
    order.shipments.filter(status=ShipmentStatus.PLANNED).update(
        status=ShipmentStatus.CANCELLED, next_action_at=None, lease_until=None
    )
    lock_balances(order)
    catalog.release(order_id=order.pk)
    wake_payments(order)
    if has_money:
        refund_remaining(order, reason=reason or "The order was cancelled.")
    return order


def holds_money(order: Order) -> bool:
    """Whether a payment, stored value or goods that came back have paid for the order."""
    by_value = order.tendered_minor or order.exchanged_minor
    if by_value and order.status == OrderStatus.PAID:
        return True
    return order.attempts.filter(status=AttemptStatus.CAPTURED).exists()


def refuse_once_shipping(order: Order) -> None:
    """Raise OrderStatusConflict once a label has been bought."""
    waiting = [ShipmentStatus.PLANNED, ShipmentStatus.CANCELLED]
    if order.shipments.exclude(status__in=waiting).exists():
        raise OrderStatusConflict("The order is being shipped.", status=order.status)


def expire_orders(*, limit: int = 500) -> int:
    """Let unpaid orders go whose time is over, by the database's clock. Returns how many.

    An order whose money is being captured at this moment is left alone.
    """
    overdue = (
        Order.objects.filter(status=OrderStatus.PENDING_PAYMENT, expires_at__lte=Now())
        .exclude(attempts__status__in=NOT_TO_INTERRUPT)
        .order_by("expires_at")
        .values_list("pk", flat=True)[:limit]
    )
    return sum(_expire(order_id) for order_id in list(overdue))


@transaction.atomic
def _expire(order_id: UUID) -> bool:
    order = (
        Order.objects.select_for_update(skip_locked=True)
        .filter(pk=order_id, status=OrderStatus.PENDING_PAYMENT, expires_at__lte=Now())
        .first()
    )
    if order is None or order.attempts.filter(status__in=NOT_TO_INTERRUPT).exists():
        return False
    move(order, OrderStatus.EXPIRED, reason="Nobody paid in time.")
    catalog.release(order_id=order.pk)
    wake_payments(order)
    return True
