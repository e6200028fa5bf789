"""How much there is: balances, the ledger that explains them, and what orders hold back."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.catalog.models.products import Variant
from apps.kernel.ids import new_id


class StockLocation(models.Model):
    """A place where goods lie. The lowest priority serves the orders first."""

    MAIN = "main"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(
        default=True, db_default=True, help_text="What lies elsewhere is not sold."
    )
    priority = models.SmallIntegerField(default=100, db_default=100)
    line1 = models.CharField(max_length=200, blank=True, default="", db_default="")
    line2 = models.CharField(max_length=200, blank=True, default="", db_default="")
    city = models.CharField(max_length=100, blank=True, default="", db_default="")
    region = models.CharField(max_length=100, blank=True, default="", db_default="")
    postal_code = models.CharField(max_length=20, blank=True, default="", db_default="")
    country = models.CharField(
        max_length=2, blank=True, default="", db_default="", help_text="ISO 3166-1 alpha-2."
    )

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(fields=["code"], name="stock_location_code_is_unique"),
            models.CheckConstraint(
                condition=Q(line1="", line2="", city="", region="", postal_code="", country="")
                | Q(country__regex=r"^[A-Z]{2}\Z")
                & ~Q(line1="")
                & ~Q(city="")
                & ~Q(postal_code=""),
                name="stock_location_address_is_whole",
                violation_error_message="An address needs line 1, city, postal code and country.",
            ),
            models.CheckConstraint(
                condition=Q(is_active=True) | ~Q(code="main"),
                name="stock_location_main_is_active",
                violation_error_message="The main location serves the orders.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Stock(models.Model):
    """The balance of one variant at one location: what lies there, and to whom it is promised.

    What unpaid orders hold back is `reserved`, what paid ones wait for is `allocated`. More than
    lies there may be promised within `backorder_limit`. In a hot balance `reserved` also counts
    the pieces that lie in the pool as units.
    """

    class Policy(models.TextChoices):
        DENY = "deny", "sells what lies there"
        BACKORDER = "backorder", "sells what will come again"
        PREORDER = "preorder", "sells what will come first"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="stock")
    location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="stock", db_index=False
    )
    on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    allocated = models.BigIntegerField(default=0, db_default=0)
    policy = models.CharField(
        max_length=10, choices=Policy, default=Policy.DENY, db_default=Policy.DENY
    )
    backorder_limit = models.BigIntegerField(default=0, db_default=0)
    available_on = models.DateField(null=True, blank=True)
    is_hot = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name_plural = "stock"
        default_permissions = ("change", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "location"], name="stock_is_kept_once_per_location"
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0), name="stock_on_hand_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0), name="stock_reserved_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(allocated__gte=0), name="stock_allocated_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("on_hand") + F("backorder_limit") - F("allocated")),
                name="stock_promises_are_covered",
            ),
            models.CheckConstraint(
                condition=Q(policy="deny", backorder_limit__gte=0, available_on=None)
                | Q(policy="backorder", backorder_limit__gt=0)
                | Q(policy="preorder", backorder_limit__gt=0, available_on__isnull=False),
                name="stock_policy_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.variant_id}: {self.on_hand} on hand, "
            f"{self.reserved} reserved, {self.allocated} allocated"
        )


class StockUnit(models.Model):
    """One free piece of a hot balance: whoever deletes the row has reserved the piece."""

    id = models.BigAutoField(primary_key=True)
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="units")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"one of {self.stock_id}"


class StockMovement(models.Model):
    """One line of the ledger. The sum of a balance's lines is the balance."""

    class Kind(models.TextChoices):
        RECEIVE = "receive", "goods came in"
        ADJUST = "adjust", "the balance was corrected"
        COUNT = "count", "a count found something else"
        TRANSFER = "transfer", "it went to another location"
        RESERVE = "reserve", "an order holds it back"
        RELEASE = "release", "an order gave it back"
        ALLOCATE = "allocate", "an order has paid it"
        SHIP = "ship", "it left with a parcel"
        RETURN = "return", "it came back"

    id = models.BigAutoField(primary_key=True)
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=10, choices=Kind)
    on_hand_delta = models.BigIntegerField()
    reserved_delta = models.BigIntegerField()
    allocated_delta = models.BigIntegerField(default=0, db_default=0)
    order_id = models.UUIDField(null=True, blank=True, db_index=True)
    document_id = models.UUIDField(
        null=True, blank=True, help_text="The transfer, count or adjustment it belongs to."
    )
    reason = models.CharField(max_length=200, blank=True)
    actor_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind="receive", on_hand_delta__gt=0, reserved_delta=0, allocated_delta=0
                )
                | (
                    Q(kind__in=["adjust", "count", "transfer"], reserved_delta=0, allocated_delta=0)
                    & ~Q(on_hand_delta=0)
                )
                | Q(
                    kind="reserve",
                    on_hand_delta=0,
                    reserved_delta__gt=0,
                    allocated_delta=0,
                    order_id__isnull=False,
                )
                | (
                    Q(
                        kind="release",
                        on_hand_delta=0,
                        reserved_delta__lte=0,
                        allocated_delta__lte=0,
                        order_id__isnull=False,
                    )
                    & ~Q(reserved_delta=0, allocated_delta=0)
                )
                | Q(
                    kind="allocate",
                    on_hand_delta=0,
                    reserved_delta__lt=0,
                    allocated_delta=-F("reserved_delta"),
                    order_id__isnull=False,
                )
                | Q(
                    kind="ship",
                    on_hand_delta__lt=0,
                    reserved_delta__lte=0,
                    allocated_delta__lte=0,
                    on_hand_delta=F("reserved_delta") + F("allocated_delta"),
                    order_id__isnull=False,
                )
                | Q(
                    kind="return",
                    on_hand_delta__gt=0,
                    reserved_delta=0,
                    allocated_delta=0,
                    order_id__isnull=False,
                ),
                name="stock_movement_fits_its_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["document_id"],
                name="stock_movement_by_document",
                condition=Q(document_id__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stock_movements_stay", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        deltas = (self.on_hand_delta, self.reserved_delta, self.allocated_delta)
        return f"{self.kind} {'/'.join(f'{delta:+d}' for delta in deltas)}"


class Reservation(models.Model):
    """What one order holds back of one balance, until when, and what came back of it."""

    class State(models.TextChoices):
        ACTIVE = "active", "held back"
        ALLOCATED = "allocated", "paid"
        RELEASED = "released", "given back"
        SHIPPED = "shipped", "shipped"

    id = models.BigAutoField(primary_key=True)
    order_id = models.UUIDField()
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="reservations")
    quantity = models.IntegerField()
    returned = models.IntegerField(default=0, db_default=0)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="When it is given back by itself; empty: never."
    )
    allocated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("release_reservation", "Can give back what unpaid orders hold")]
        constraints = [
            models.UniqueConstraint(
                fields=["order_id", "stock"], name="reservation_is_made_once_per_order"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="reservation_quantity_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["active", "allocated", "released", "shipped"]),
                name="reservation_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(returned=0)
                | Q(state="shipped", returned__gt=0, returned__lte=F("quantity")),
                name="reservation_returns_what_was_shipped",
            ),
            models.CheckConstraint(
                condition=~Q(state="allocated", allocated_at__isnull=True),
                name="reservation_allocated_has_its_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="reservation_by_expiry",
                condition=Q(state="active", expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.order_id}: {self.state}"
