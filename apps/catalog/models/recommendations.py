"""What goes with what, as customers have shown."""

from django.db import models
from django.db.models import F, Q

from apps.catalog.models.products import Product


class BoughtTogether(models.Model):
    """Another product that orders hold with this one. Made anew by `build_recommendations`."""

    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="bought_together", db_index=False
    )
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    orders = models.PositiveIntegerField(help_text="How many orders held both.")
    score = models.FloatField(help_text="The higher, the sooner it is shown.")

    class Meta:
        verbose_name_plural = "bought together"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["product", "other"], name="bought_together_once_a_pair"
            ),
            models.CheckConstraint(
                condition=~Q(other=F("product")), name="bought_together_are_two_products"
            ),
            models.CheckConstraint(
                condition=Q(orders__gte=1, score__gt=0), name="bought_together_was_seen"
            ),
        ]
        indexes = [
            models.Index(fields=["product", "-score", "other"], name="bought_together_best_first")
        ]

    def __str__(self) -> str:
        return f"{self.product_id} with {self.other_id}"
