"""Which products staff show beside which."""

from django.db import models
from django.db.models import F, Q

from apps.catalog.models.products import Product
from apps.kernel.ids import new_id


class RelatedProduct(models.Model):
    """Another product that is shown beside a product, and why."""

    class Kind(models.TextChoices):
        RELATED = "related", "related"
        CROSS_SELL = "cross_sell", "goes with it"
        UP_SELL = "up_sell", "better than it"
        ACCESSORY = "accessory", "accessory"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="related", db_index=False
    )
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["product", "kind", "other"], name="product_is_related_once_in_a_way"
            ),
            models.CheckConstraint(
                condition=~Q(product=F("other")), name="product_is_not_related_to_itself"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["related", "cross_sell", "up_sell", "accessory"]),
                name="product_relation_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.kind} {self.other_id}"
