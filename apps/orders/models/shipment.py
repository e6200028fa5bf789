"""Shipments: a parcel and its way to the shopper."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work
from apps.orders.models.guards import known_status, life
from apps.orders.models.order import Order
from apps.orders.states import SHIPMENT_FOLLOWS, ShipmentStatus


class Shipment(Work):
    """All lines of one order in one parcel. Its id is the idempotency key at the carrier."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="shipments")
    status = models.CharField(
        max_length=20,
        choices=[(s.value, s.value.replace("_", " ")) for s in ShipmentStatus],
        default=ShipmentStatus.PLANNED,
    )
    carrier = models.CharField(max_length=40)
    tracking_number = models.CharField(max_length=64, blank=True)
    tracking_url = models.URLField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    handed_over_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("move_shipment", "Can hand over and deliver shipments")]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], name="shipment_once_an_order", condition=~Q(status="cancelled")
            ),
            models.UniqueConstraint(
                fields=["carrier", "tracking_number"],
                name="shipment_tracking_number_is_unique",
                condition=~Q(tracking_number=""),
            ),
            known_status(ShipmentStatus, name="shipment_status_is_known"),
            models.CheckConstraint(
                condition=Q(next_action_at__isnull=False)
                | ~Q(status__in=["planned", "label_in_flight"]),
                name="shipment_open_means_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="shipment_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]
        triggers = [life(SHIPMENT_FOLLOWS, name="shipment_status_follows")]

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number or self.status}"
