"""Words that staff put on products."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from apps.catalog.models.slugs import SLUG, is_a_slug
from apps.kernel.ids import new_id


class Tag(models.Model):
    """A word for products of any kind, such as "vegan" or "made in Italy"."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60)
    slug = models.CharField(max_length=80, validators=[is_a_slug])

    class Meta:
        constraints = [
            models.UniqueConstraint(Upper("name"), name="tag_name_is_unique_in_any_case"),
            models.UniqueConstraint(fields=["slug"], name="tag_slug_is_unique"),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name="tag_slug_is_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name
