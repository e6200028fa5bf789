"""How much there is: balances, the ledger that explains them, and what orders hold back."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.catalog.models.products import Variant
from apps.kernel.ids import new_id


class StockLocation(models.Model):
    """A place where goods lie. The one with the code "main" serves the orders."""

    MAIN = "main"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(fields=["code"], name="stock_location_code_is_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class Stock(models.Model):
    """The balance of one variant at one location: what lies there, what orders hold back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="stock")
    location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="stock", db_index=False
    )
    on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "stock"
        default_permissions = ("change", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "location"], name="stock_is_kept_once_per_location"
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")),
                name="stock_reserved_is_between_0_and_on_hand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id}: {self.on_hand} on hand, {self.reserved} reserved"


class StockMovement(models.Model):
    """One line of the ledger. The sum of a balance's lines is the balance."""

    class Kind(models.TextChoices):
        RECEIVE = "receive", "goods came in"
        ADJUST = "adjust", "the count was corrected"
        RESERVE = "reserve", "an order holds it back"
        RELEASE = "release", "an order gave it back"
        SHIP = "ship", "it left with a parcel"
        RETURN = "return", "it came back"

    id = models.BigAutoField(primary_key=True)
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=10, choices=Kind)
    on_hand_delta = models.BigIntegerField()
    reserved_delta = models.BigIntegerField()
    order_id = models.UUIDField(null=True, blank=True, db_index=True)
    reason = models.CharField(max_length=200, blank=True)
    actor_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="receive", on_hand_delta__gt=0, reserved_delta=0)
                | Q(Q(kind="adjust", reserved_delta=0) & ~Q(on_hand_delta=0))
                | Q(kind="reserve", on_hand_delta=0, reserved_delta__gt=0, order_id__isnull=False)
                | Q(kind="release", on_hand_delta=0, reserved_delta__lt=0, order_id__isnull=False)
                | Q(
                    kind="ship",
                    on_hand_delta__lt=0,
                    reserved_delta=F("on_hand_delta"),
                    order_id__isnull=False,
                )
                | Q(kind="return", on_hand_delta__gt=0, reserved_delta=0, order_id__isnull=False),
                name="stock_movement_fits_its_kind",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stock_movements_stay", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.on_hand_delta:+d}/{self.reserved_delta:+d}"


class Reservation(models.Model):
    """What one order holds back of one balance."""

    class State(models.TextChoices):
        ACTIVE = "active", "held back"
        RELEASED = "released", "given back"
        SHIPPED = "shipped", "shipped"

    id = models.BigAutoField(primary_key=True)
    order_id = models.UUIDField()
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="reservations")
    quantity = models.IntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["order_id", "stock"], name="reservation_is_made_once_per_order"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="reservation_quantity_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["active", "released", "shipped"]),
                name="reservation_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.order_id}: {self.state}"
