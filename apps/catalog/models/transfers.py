"""Goods that are moved from one location to another."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.catalog.models.products import Variant
from apps.catalog.models.stock import StockLocation
from apps.kernel.ids import new_id


class StockTransfer(models.Model):
    """A move of goods. The ledger's lines of it carry its id."""

    class Status(models.TextChoices):
        DRAFT = "draft", "being written"
        IN_TRANSIT = "in_transit", "on its way"
        RECEIVED = "received", "arrived, or known to be lost"
        CANCELLED = "cancelled", "given up before it left"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    from_location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    note = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_location=F("to_location")),
                name="stock_transfer_goes_somewhere_else",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"], sent_at=None, received_at=None)
                | Q(status="in_transit", sent_at__isnull=False, received_at=None)
                | Q(status="received", sent_at__isnull=False, received_at__isnull=False),
                name="stock_transfer_has_the_times_of_its_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.status}"


class StockTransferLine(models.Model):
    """How many of a SKU are moved, and what has become of them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    transfer = models.ForeignKey(
        StockTransfer, on_delete=models.CASCADE, related_name="lines", db_index=False
    )
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    quantity = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    lost = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["transfer", "variant"], name="stock_transfer_line_is_one_per_variant"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="stock_transfer_line_quantity_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(received__gte=0, lost__gte=0, quantity__gte=F("received") + F("lost")),
                name="stock_transfer_line_receives_what_was_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.variant_id}: {self.received} received, {self.lost} lost"
