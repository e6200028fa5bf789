"""Products that are shown together: chosen by hand, or by rules."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.catalog.models.products import Product
from apps.catalog.models.slugs import SLUG, is_a_slug
from apps.kernel.ids import new_id


class Collection(models.Model):
    """A page of products across the categories, such as "Gifts below 20"."""

    class Kind(models.TextChoices):
        MANUAL = "manual", "chosen by hand"
        RULE = "rule", "chosen by rules"

    class Match(models.TextChoices):
        ALL = "all", "all rules"
        ANY = "any", "any rule"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=160, validators=[is_a_slug])
    description = models.TextField(blank=True, max_length=20_000)
    seo_title = models.CharField(max_length=120, blank=True)
    seo_description = models.CharField(max_length=320, blank=True)
    kind = models.CharField(max_length=6, choices=Kind)
    match = models.CharField(max_length=3, choices=Match, default=Match.ALL)
    rules = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="collection_slug_is_unique"),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name="collection_slug_is_a_slug"),
            models.CheckConstraint(
                condition=Q(kind="manual", rules=[]) | Q(kind="rule") & ~Q(rules=[]),
                name="collection_has_rules_if_it_is_by_rules",
            ),
            models.CheckConstraint(
                condition=Q(match__in=["all", "any"]), name="collection_match_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CollectionProduct(models.Model):
    """A product's place in a collection that is chosen by hand."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="entries", db_index=False
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["collection", "product"], name="collection_has_a_product_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collection_id}: {self.product_id}"
