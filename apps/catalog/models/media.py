"""Pictures of what is sold."""

from functools import lru_cache

from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q

from apps.catalog.models.products import Product
from apps.kernel.ids import new_id


def product_storage() -> Storage:
    """Return where product pictures are kept."""
    return storages["products"]


@lru_cache(maxsize=10_000)
def picture_url(file: str) -> str:
    """Return where the public finds a picture; lists ask that more often than anything else."""
    return product_storage().url(file)


class Image(models.Model):
    """A picture of a product, re-encoded by the services before it is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    file = models.ImageField(
        storage=product_storage, upload_to="products", width_field="width", height_field="height"
    )
    alt = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(width__gte=1, height__gte=1), name="image_has_a_size"
            ),
        ]

    def __str__(self) -> str:
        return self.alt or str(self.file)
