"""Returns: goods that come back, what was found when looking at them, what is paid back."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.orders.models.guards import counted_return, known_status, life, of_one_order
from apps.orders.models.order import Order, OrderLine
from apps.orders.models.payment import Refund
from apps.orders.states import RETURN_FOLLOWS, Resolution, ReturnReason, ReturnStatus

LONGEST_COMMENT = 1_000


class Return(models.Model):
    """What a shopper wants to bring back of one order, and how far it has come."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="returns")
    status = models.CharField(
        max_length=20,
        choices=[(s.value, s.value) for s in ReturnStatus],
        default=ReturnStatus.REQUESTED,
    )
    comment = models.CharField(
        max_length=LONGEST_COMMENT, blank=True, help_text="The shopper's words."
    )
    note = models.CharField(max_length=200, blank=True, help_text="Ours; the shopper reads it.")
    refunds_shipping = models.BooleanField(default=False)
    amount_minor = models.BigIntegerField(
        null=True, blank=True, help_text="What the accepted pieces, and the parcel, have cost."
    )
    refund = models.OneToOneField(
        Refund,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="given_for",
        help_text="Less than the amount when a part of it had gone back before.",
    )
    requested_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now(), help_text="When it took its last step.")

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("decide_return", "Can ask for returns for shoppers, and approve or reject them"),
            ("inspect_return", "Can receive returns, and inspect them so that money goes back"),
        ]
        constraints = [
            known_status(ReturnStatus, name="return_status_is_known"),
            models.CheckConstraint(
                condition=Q(status__in=["inspected", "closed"], amount_minor__gte=0)
                | (
                    ~Q(status__in=["inspected", "closed"])
                    & Q(amount_minor=None, refund=None, refunds_shipping=False)
                ),
                name="return_has_an_amount_once_inspected",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_at", "id"], name="return_by_time"),
            models.Index(fields=["status", "requested_at", "id"], name="return_by_status"),
        ]
        triggers = [
            life(RETURN_FOLLOWS, name="return_status_follows"),
            counted_return(
                pgtrigger.UpdateOf("status"),
                name="return_counts_while_it_is_wanted",
                lines="SELECT order_line_id FROM orders_returnline WHERE parent_id = NEW.id"
                " ORDER BY 1",
            ),
        ]

    def __str__(self) -> str:
        return f"Return {self.pk} {self.status}"


class ReturnLine(models.Model):
    """So many pieces of one line of the order: why they come back, and what becomes of them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    parent = models.ForeignKey(Return, on_delete=models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="returns")
    quantity = models.PositiveIntegerField()
    reason = models.CharField(
        max_length=20, choices=[(r.value, r.value.replace("_", " ")) for r in ReturnReason]
    )
    accepted = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: not looked at.")
    resolution = models.CharField(
        max_length=20,
        blank=True,
        choices=[(r.value, r.value.replace("_", " ")) for r in Resolution],
    )
    amount_minor = models.BigIntegerField(
        null=True, blank=True, help_text="What the accepted pieces have cost, with tax."
    )
    tax_minor = models.BigIntegerField(null=True, blank=True, help_text="The tax in it.")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "order_line"], name="return_line_once_an_order_line"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1), name="return_line_quantity_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(reason__in=[str(r) for r in ReturnReason]),
                name="return_line_reason_is_known",
            ),
            models.CheckConstraint(
                condition=Q(accepted=None, resolution="", amount_minor=None, tax_minor=None)
                | Q(accepted=0, resolution="", amount_minor=0, tax_minor=0)
                | Q(
                    accepted__gt=0,
                    accepted__lte=F("quantity"),
                    resolution__in=[str(r) for r in Resolution],
                    amount_minor__gte=0,
                    tax_minor__gte=0,
                    tax_minor__lte=F("amount_minor"),
                ),
                name="return_line_accepts_what_came_back",
            ),
        ]
        triggers = [
            of_one_order(name="return_line_is_of_its_order"),
            counted_return(
                pgtrigger.Insert,
                name="return_line_counts_against_its_order_line",
                lines="SELECT NEW.order_line_id",
            ),
            counted_return(
                pgtrigger.Delete,
                name="return_line_counts_while_it_is_there",
                lines="SELECT OLD.order_line_id",
            ),
            counted_return(
                pgtrigger.UpdateOf("parent_id", "order_line_id", "quantity", "accepted"),
                name="return_line_counts_what_is_accepted",
                lines="SELECT OLD.order_line_id UNION SELECT NEW.order_line_id ORDER BY 1",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.order_line_id}"
