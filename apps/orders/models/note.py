"""Notes: what staff tell each other about an order."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Now
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from apps.kernel.ids import new_id
from apps.orders.models.guards import append_only
from apps.orders.models.order import Order

LONGEST_NOTE = 2_000


class OrderNote(models.Model):
    """What somebody of the staff wrote about an order. Never changed, never shown to shoppers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="notes")
    author_id = models.UUIDField(editable=False)
    text = models.TextField(max_length=LONGEST_NOTE)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(GreaterThanOrEqual(Length("text"), 1))
                & Q(LessThanOrEqual(Length("text"), LONGEST_NOTE)),
                name="order_note_says_something_short",
            )
        ]
        triggers = [append_only(name="order_note_is_not_changed")]

    def __str__(self) -> str:
        return f"Note {self.pk}"
