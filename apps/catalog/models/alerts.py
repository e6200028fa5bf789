"""Whom to tell when goods are there again."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.catalog.models.products import Variant
from apps.kernel.ids import new_id


class StockAlert(models.Model):
    """A customer waits for a variant. The row goes once they have been told."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer_id = models.UUIDField()
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="alerts")
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(
        null=True, blank=True, help_text="When something has changed that is not looked at yet."
    )

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "variant"], name="stock_alert_is_one_per_customer"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="stock_alert_due", condition=~Q(due_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} waits for {self.variant_id}"
