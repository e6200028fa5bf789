"""What is still to be told of products."""

from uuid import UUID

from django.db import models
from django.db.models import Q


class ChangedProduct(models.Model):
    """A product whose document shows something that has changed elsewhere, such as its brand.

    A foreign key would wait for whoever writes the product, who may be waiting for the change.
    """

    product_id = models.UUIDField(primary_key=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.product_id)


class ChangedInCommon(models.Model):
    """Something that has changed and that the documents of many products show, such as a brand.

    They may be all products of the store: this row is all that the change costs at once. `after`
    is the last product that was noted because of it (ChangedProduct), in the order of their ids.
    """

    class Kind(models.TextChoices):
        ATTRIBUTE = "attribute", "attribute"
        BRAND = "brand", "brand"
        CATEGORY = "category", "category"
        TAG = "tag", "tag"
        TYPE = "type", "type"

    kind = models.CharField(max_length=9, choices=Kind)
    reference = models.UUIDField()
    after = models.UUIDField(db_default=UUID(int=0))

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["kind", "reference"], name="changed_in_common_is_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["attribute", "brand", "category", "tag", "type"]),
                name="changed_in_common_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"
