"""When goods run low: from how few pieces on, and since when."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.catalog.models.products import Variant


class ReorderPoint(models.Model):
    """With how few pieces a variant counts as low, where it is not the store's number."""

    variant = models.OneToOneField(
        Variant, primary_key=True, on_delete=models.CASCADE, related_name="reorder_point"
    )
    pieces = models.BigIntegerField()

    class Meta:
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(pieces__gte=0), name="reorder_point_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.pieces}"


class LowStock(models.Model):
    """A variant has run low, and staff were told. The row goes once there is enough again."""

    variant = models.OneToOneField(
        Variant, primary_key=True, on_delete=models.CASCADE, related_name="low_stock"
    )
    since = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "low stock"
        default_permissions = ("view",)
        permissions = [("be_told_of_low_stock", "Gets a mail when goods have run low")]

    def __str__(self) -> str:
        return f"{self.pk} since {self.since}"
