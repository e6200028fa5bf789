"""By what addresses things were found before."""

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q

from apps.catalog.models.categories import Category
from apps.catalog.models.products import Product


class FormerSlug(models.Model):
    """What a product or a category was called in addresses; written by triggers.

    Who is called so now comes first, so a former slug may be given again.
    """

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    slug = models.CharField(max_length=220)
    product = models.ForeignKey(
        Product, null=True, on_delete=models.CASCADE, related_name="former_slugs"
    )
    category = models.ForeignKey(
        Category, null=True, on_delete=models.CASCADE, related_name="former_slugs"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["slug"],
                condition=Q(product__isnull=False),
                name="former_slug_of_product_is_unique",
            ),
            models.UniqueConstraint(
                fields=["slug"],
                condition=Q(category__isnull=False),
                name="former_slug_of_category_is_unique",
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=True) ^ Q(category__isnull=True),
                name="former_slug_is_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return self.slug
