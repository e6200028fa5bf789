"""What somebody wants later: beside the cart, in no total and in no order."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.orders.models.cart import LARGEST_QUANTITY, Cart


class SavedItem(models.Model):
    """A variant and how many of it, taken out of a cart and kept for later."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="saved_items")
    variant_id = models.UUIDField()
    quantity = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_QUANTITY)]
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["cart", "variant_id"], name="saved_item_once_a_variant"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1, quantity__lte=LARGEST_QUANTITY),
                name="saved_item_quantity_is_1_to_999",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant_id}"
