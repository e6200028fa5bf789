"""Orders: documents. What they say was true when they were placed and does not change."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.money import Money
from apps.orders.models.guards import (
    append_only,
    known_status,
    lets_units_go,
    life,
    taxes_add_up,
    unchanged,
)
from apps.orders.models.order_number import shown
from apps.orders.models.owed_documents import owes_an_invoice
from apps.orders.states import ORDER_FOLLOWS, OrderStatus

MOST_TAGS, LONGEST_TAG = 20, 40


class Order(models.Model):
    """What a shopper was promised, for how much, and how far it has come."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.BigIntegerField(
        unique=True,
        editable=False,
        db_default=models.Func(models.Value("orders_order_number_seq"), function="nextval"),
    )
    cart_id = models.UUIDField(editable=False)
    customer_id = models.UUIDField(null=True, blank=True, db_index=True)
    token_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256, guests only.")
    email = models.EmailField()
    status = models.CharField(
        max_length=20,
        choices=[(s.value, s.value.replace("_", " ")) for s in OrderStatus],
        default=OrderStatus.PENDING_PAYMENT,
    )
    currency = models.CharField(max_length=3)
    items_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    shipping_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0, help_text="On top of the prices.")
    tax_included_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="In the prices; the total holds it already."
    )
    shipping_discount_minor = models.BigIntegerField(default=0, db_default=0)
    shipping_tax_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="Of the tax, on top or in it, what the parcel bears."
    )
    taxes = models.JSONField(
        default=list,
        db_default=[],
        help_text="Each tax: code, name, ppm, net and amount in minor units.",
    )
    grand_total_minor = models.BigIntegerField()
    reduced_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="What edits took off the total after it was paid."
    )
    tendered_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="What gift cards and store credit pay of the total."
    )
    exchanged_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="What goods that came back pay of the total."
    )
    shipping_address = models.JSONField()
    shipping_option = models.CharField(max_length=40)
    tags = ArrayField(
        models.CharField(max_length=LONGEST_TAG),
        default=list,
        db_default=[],
        blank=True,
        help_text="By which staff find it again; shoppers never see them.",
    )
    version = models.PositiveIntegerField(default=1)
    placed_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(help_text="When an unpaid order gives its stock back.")

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("cancel_order", "Can cancel orders that nobody has paid"),
            ("refund_order", "Can cancel orders so that money goes back"),
            ("annotate_order", "Can tag orders and write notes about them"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["cart_id"], name="order_placed_once_a_cart"),
            known_status(OrderStatus, name="order_status_is_known"),
            models.CheckConstraint(
                condition=Q(
                    grand_total_minor=F("items_minor")
                    - F("discount_minor")
                    + F("shipping_minor")
                    + F("tax_minor")
                ),
                name="order_total_is_the_sum_of_its_parts",
            ),
            models.CheckConstraint(
                condition=Q(
                    items_minor__gte=0,
                    discount_minor__gte=0,
                    shipping_minor__gte=0,
                    tax_minor__gte=0,
                    grand_total_minor__gte=0,
                ),
                name="order_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(tax_minor=0) | Q(tax_included_minor=0),
                name="order_tax_is_in_the_prices_or_on_top",
            ),
            models.CheckConstraint(
                condition=Q(tax_included_minor__gte=0)
                & Q(tax_included_minor__lte=F("grand_total_minor")),
                name="order_included_tax_is_part_of_the_total",
            ),
            models.CheckConstraint(
                condition=Q(shipping_discount_minor__gte=0)
                & Q(shipping_discount_minor__lte=F("shipping_minor"))
                & Q(shipping_discount_minor__lte=F("discount_minor"))
                & Q(shipping_tax_minor__gte=0)
                & Q(shipping_tax_minor__lte=F("tax_minor") + F("tax_included_minor")),
                name="order_shipping_is_part_of_its_amounts",
            ),
            models.CheckConstraint(
                condition=Q(reduced_minor__gte=0), name="order_is_never_made_dearer"
            ),
            models.CheckConstraint(
                condition=Q(tags__len__lte=MOST_TAGS) & ~Q(tags__contains=[""]),
                name="order_tags_are_few_and_say_something",
            ),
            models.CheckConstraint(
                condition=Q(tendered_minor__gte=0)
                & Q(tendered_minor__lte=F("grand_total_minor") + F("reduced_minor")),
                name="order_tenders_are_part_of_the_total",
            ),
            models.CheckConstraint(
                condition=Q(exchanged_minor=0)
                | Q(exchanged_minor__gt=0, exchanged_minor=F("grand_total_minor")),
                name="order_exchange_pays_for_all_of_it",
            ),
        ]
        indexes = [
            GinIndex(fields=["tags"], name="order_by_tag"),
            models.Index(fields=["placed_at", "id"], name="order_by_time"),
            models.Index(fields=["customer_id", "placed_at", "id"], name="order_of_customer"),
            models.Index(
                fields=["expires_at"],
                name="order_unpaid_by_expiry",
                condition=Q(status="pending_payment"),
            ),
        ]
        triggers = [
            life(ORDER_FOLLOWS, name="order_status_follows"),
            taxes_add_up(name="order_taxes_add_up"),
            owes_an_invoice(name="order_paid_owes_an_invoice"),
            lets_units_go(name="order_lets_its_units_go"),
        ]

    def __str__(self) -> str:
        return f"Order {self.shown_number}"

    @property
    def shown_number(self) -> str:
        """The number as people see it."""
        return shown(self.number)

    @property
    def grand_total(self) -> Money:
        return Money(self.grand_total_minor, self.currency)

    @property
    def to_pay_minor(self) -> int:
        """What a payment has to bring. Edits may leave less than balances had paid."""
        return max(0, self.grand_total_minor - self.tendered_minor - self.exchanged_minor)


class OrderLine(models.Model):
    """One line as it was sold: SKU, name and price are copies, on purpose."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    product_id = models.UUIDField()
    variant_id = models.UUIDField()
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=300)
    quantity = models.PositiveIntegerField()
    list_price_minor = models.BigIntegerField(
        null=True, help_text="Of one piece, without price lists; null in orders of before."
    )
    unit_price_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField(help_text="Unit price times quantity.")
    discount_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="What promotions take off the total."
    )
    tax_minor = models.BigIntegerField(default=0, db_default=0, help_text="On top of the prices.")
    tax_included_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="In the prices; what is left holds it already."
    )
    taxes = models.JSONField(
        default=list, db_default=[], help_text="Each tax: code, ppm and amount in minor units."
    )
    returning_quantity = models.IntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="How many come back, or are back; a trigger counts.",
    )

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_has_its_place"),
            models.UniqueConstraint(
                fields=["order", "variant_id"], name="order_line_once_a_variant"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, unit_price_minor__gte=0),
                name="order_line_amounts_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("unit_price_minor") * F("quantity")),
                name="order_line_total_is_price_times_quantity",
            ),
            models.CheckConstraint(
                condition=Q(list_price_minor=None) | Q(list_price_minor__gte=0),
                name="order_line_list_price_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(discount_minor__gte=0) & Q(discount_minor__lte=F("total_minor")),
                name="order_line_discount_is_part_of_its_total",
            ),
            models.CheckConstraint(
                condition=Q(tax_minor__gte=0) & (Q(tax_minor=0) | Q(tax_included_minor=0)),
                name="order_line_tax_is_in_the_price_or_on_top",
            ),
            models.CheckConstraint(
                condition=Q(tax_included_minor__gte=0)
                & Q(tax_included_minor__lte=F("total_minor") - F("discount_minor")),
                name="order_line_included_tax_is_part_of_its_price",
            ),
            models.CheckConstraint(
                condition=Q(returning_quantity__gte=0) & Q(returning_quantity__lte=F("quantity")),
                name="order_line_comes_back_at_most_once",
            ),
        ]
        triggers = [
            unchanged(name="order_line_is_a_document", apart_from=["returning_quantity"]),
            pgtrigger.Protect(name="order_line_stays", operation=pgtrigger.Delete),
            taxes_add_up(name="order_line_taxes_add_up"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class StatusChange(models.Model):
    """One step in an order's life: which, when, by whom and why. Never changed."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="history")
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    actor_id = models.UUIDField(null=True, help_text="Empty: the store itself.")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["order", "to_status"], name="status_change_happens_once"
            )
        ]
        triggers = [append_only(name="status_change_is_history")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
