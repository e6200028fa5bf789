"""Carts: what somebody may buy. Prices are not kept here; they are asked when they are shown."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from apps.kernel.ids import new_id

LARGEST_QUANTITY = 999
MOST_LINES = 200


class Cart(models.Model):
    """One open cart of a customer, or of whoever holds the guest token."""

    class Status(models.TextChoices):
        OPEN = "open"
        ORDERED = "ordered"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer_id = models.UUIDField(null=True, blank=True, db_index=True)
    token_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256, guests only.")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    currency = models.CharField(max_length=3)
    email = models.EmailField(blank=True)
    shipping_address = models.JSONField(null=True, blank=True)
    shipping_option = models.CharField(max_length=40, blank=True)
    coupons = models.JSONField(default=list, db_default=[], blank=True, help_text="Codes.")
    gift_cards = models.JSONField(
        default=list, db_default=[], blank=True, help_text="Ids, in the order in which they pay."
    )
    store_credit = models.BooleanField(
        default=False, db_default=False, help_text="Whether the customer's pays after the cards."
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "ordered"]), name="cart_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(customer_id__isnull=False) | ~models.Q(token_hash=""),
                name="cart_belongs_to_somebody",
            ),
        ]
        indexes = [
            # Not by `updated_at`: every change of a cart would have to write the index, too.
            models.Index(
                fields=["created_at"], name="cart_open_by_age", condition=models.Q(status="open")
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class CartItem(models.Model):
    """A variant and how many of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="items")
    variant_id = models.UUIDField()
    quantity = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_QUANTITY)]
    )
    seen_price_minor = models.BigIntegerField(
        null=True, blank=True, help_text="Of one piece, when the line was last changed."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant_id"], name="cart_item_once_a_variant"),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1, quantity__lte=LARGEST_QUANTITY),
                name="cart_item_quantity_is_1_to_999",
            ),
            models.CheckConstraint(
                condition=models.Q(seen_price_minor=None) | models.Q(seen_price_minor__gte=0),
                name="cart_item_seen_price_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant_id}"
