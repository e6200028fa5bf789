"""Counts of what lies somewhere: what was found, and what the books said at that moment."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.catalog.models.products import Variant
from apps.catalog.models.stock import StockLocation
from apps.kernel.ids import new_id


class StockCount(models.Model):
    """Somebody counted some SKUs at a location. The ledger's lines of it carry its id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    location = models.ForeignKey(
        StockLocation, on_delete=models.PROTECT, related_name="counts", db_index=False
    )
    reason = models.CharField(max_length=200)
    actor_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d} {self.location_id}"


class StockCountLine(models.Model):
    """One SKU of a count."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    count = models.ForeignKey(
        StockCount, on_delete=models.PROTECT, related_name="lines", db_index=False
    )
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+", db_index=False)
    expected = models.BigIntegerField()
    counted = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["count", "variant"], name="stock_count_line_is_one_per_variant"
            ),
            models.CheckConstraint(
                condition=Q(expected__gte=0, counted__gte=0),
                name="stock_count_line_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id}: {self.expected} expected, {self.counted} counted"
