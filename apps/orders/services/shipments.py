"""Sending parcels: plan, label, hand over, deliver."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.kernel.audit import record
from apps.kernel.events import publish
from apps.kernel.work import claim, due_later
from apps.orders.carriers import CARRIERS, TableRates
from apps.orders.models import Shipment
from apps.orders.services.transitions import OrderShipped, OrderStatusConflict, locked, move
from apps.orders.states import SHIPMENT_FOLLOWS, OrderStatus, ShipmentStatus

LOOK_FOR_GOODS = timedelta(seconds=60)


@transaction.atomic
def plan_shipment(*, order_id: UUID) -> None:
    """Plan the parcel of a paid order; planning it again changes nothing."""
    order = locked(order_id)
    if order.status == OrderStatus.PAID and not order.shipments.exists():
        Shipment.objects.create(order=order, carrier=TableRates.code, next_action_at=Now())


def advance_shipment() -> bool:
    """Take the next due shipment one step on. Returns False when none is due."""
    shipment = claim(Shipment)
    if shipment is None:
        return False
    match ShipmentStatus(shipment.status):
        case ShipmentStatus.PLANNED:
            if _start_label(shipment):
                _buy_label(shipment)
        case ShipmentStatus.LABEL_IN_FLIGHT:
            _buy_label(shipment)
        case ShipmentStatus.LABELLED:
            try:
                hand_over(shipment_id=shipment.pk)
            except catalog.GoodsNotThere:
                due_later(shipment, after=LOOK_FOR_GOODS)
        case ShipmentStatus.HANDED_OVER:
            deliver(shipment_id=shipment.pk)
    return True


@transaction.atomic
def hand_over(*, shipment_id: UUID, actor_id: UUID | None = None) -> None:
    """The parcel has left the house: its units leave the stock.

    Raises OrderStatusConflict when the shipment has no label or has left before;
    catalog.GoodsNotThere when what was ordered ahead has not come in.
    """
    shipment = _step(shipment_id, ShipmentStatus.HANDED_OVER)
    shipment.handed_over_at = timezone.now()
    seconds = settings.CARRIER_SIMULATED_DELIVERY_SECONDS
    shipment.next_action_at = timezone.now() + timedelta(seconds=seconds) if seconds else None
    shipment.save()
    catalog.ship(order_id=shipment.order_id)
    publish(OrderShipped(order_id=shipment.order_id), aggregate_id=shipment.order_id)
    record("orders.shipment_handed_over", about=shipment.pk, after={"order": shipment.order_id})


@transaction.atomic
def deliver(*, shipment_id: UUID, actor_id: UUID | None = None) -> None:
    """The parcel has arrived: the order is complete.

    Raises OrderStatusConflict when the shipment is not on its way.
    """
    shipment = _step(shipment_id, ShipmentStatus.DELIVERED)
    shipment.delivered_at = timezone.now()
    shipment.next_action_at = None
    shipment.save()
    move(shipment.order, OrderStatus.COMPLETED, actor_id=actor_id)
    record("orders.shipment_delivered", about=shipment.pk, after={"order": shipment.order_id})


@transaction.atomic
def _start_label(shipment: Shipment) -> bool:
    """Write down that a label is being bought, unless the order was cancelled meanwhile.

    What was ordered ahead waits for its goods.
    """
    if locked(shipment.order_id).status != OrderStatus.PAID:
        due_later(shipment, after=timedelta(seconds=1))
        return False
    if not catalog.can_ship(order_id=shipment.order_id):
        due_later(shipment, after=LOOK_FOR_GOODS)
        return False
    return bool(
        Shipment.objects.filter(pk=shipment.pk, status=ShipmentStatus.PLANNED).update(
            status=ShipmentStatus.LABEL_IN_FLIGHT
        )
    )


def _buy_label(shipment: Shipment) -> None:
    carrier = CARRIERS[shipment.carrier]
    label = carrier.buy_label(shipment_id=shipment.pk, address=shipment.order.shipping_address)
    with transaction.atomic():
        bought = _step(shipment.pk, ShipmentStatus.LABELLED)
        bought.tracking_number = label.tracking_number
        bought.tracking_url = label.tracking_url
        simulated = settings.CARRIER_SIMULATED_DELIVERY_SECONDS
        bought.next_action_at = timezone.now() if simulated else None
        bought.save()
        move(bought.order, OrderStatus.FULFILLING)


def _step(shipment_id: UUID, target: ShipmentStatus) -> Shipment:
    """Lock the order, then the shipment, and take the step in memory."""
    order = locked(Shipment.objects.values_list("order_id", flat=True).get(pk=shipment_id))
    shipment = Shipment.objects.select_for_update().get(pk=shipment_id)
    if target not in SHIPMENT_FOLLOWS[ShipmentStatus(shipment.status)]:
        raise OrderStatusConflict(f"The shipment is {shipment.status}.", status=shipment.status)
    shipment.order = order
    shipment.status = target
    shipment.lease_until = None
    shipment.tries = 0
    return shipment
