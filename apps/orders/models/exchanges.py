"""Exchanges: what a shopper wants for goods that come back, and the order that brings it."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.orders.models.order import Order
from apps.orders.models.returns import Return, ReturnLine


class Exchange(models.Model):
    """Which variant a shopper wants for the pieces of a return's line, at the price agreed on."""

    line = models.OneToOneField(
        ReturnLine, on_delete=models.PROTECT, primary_key=True, related_name="exchange"
    )
    product_id = models.UUIDField()
    variant_id = models.UUIDField()
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=300)
    list_price_minor = models.BigIntegerField()
    unit_price_minor = models.BigIntegerField(help_text="Not more than that of the order's line.")
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(unit_price_minor__gte=0, list_price_minor__gte=0),
                name="exchange_prices_are_not_negative",
            )
        ]

    def __str__(self) -> str:
        return self.sku


class Replacement(models.Model):
    """The order that brings what was exchanged: goods that came back of another order pay it.

    The money stays that order's. What the replacement gives back goes back of it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    parent = models.OneToOneField(Return, on_delete=models.PROTECT, related_name="replacement")
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="replaces")
    paid_minor = models.BigIntegerField(help_text="What the goods that came back pay of it.")
    returned_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="What of that was given back."
    )
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(returned_minor__gte=0, returned_minor__lte=F("paid_minor")),
                name="replacement_returns_at_most_what_paid_it",
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="replacement_is_a_document", exclude=["returned_minor"]),
            pgtrigger.Protect(name="replacement_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} for {self.parent_id}"

    @property
    def left_minor(self) -> int:
        """What can still go back of it."""
        return self.paid_minor - self.returned_minor
