"""Where products stand: the tree of categories."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast, Concat, Length, StrIndex
from django.db.models.lookups import Exact

from apps.catalog.models.slugs import SLUG, is_a_slug, keeps_former_slugs
from apps.kernel.ids import new_id


def _path(*columns: str) -> Concat:
    slash = Value("/", output_field=models.TextField())
    parts: list[Value | Cast] = [slash]
    for column in columns:
        parts += [Cast(column, models.TextField()), slash]
    return Concat(*parts)


class Category(models.Model):
    """A node of the tree. `path` holds the ids from the root down to the category itself."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=160, validators=[is_a_slug])
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    position = models.PositiveIntegerField(default=0)
    description = models.TextField(blank=True, max_length=20_000, db_default="")
    seo_title = models.CharField(max_length=120, blank=True, db_default="")
    seo_description = models.CharField(max_length=320, blank=True, db_default="")
    product_count = models.PositiveIntegerField(
        db_default=0,
        editable=False,
        help_text="Published products in it and below it, counted every half a minute.",
    )
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    path = models.TextField(
        editable=False, db_collation="C", help_text="/root id/…/own id/, kept by the services."
    )

    class Meta:
        verbose_name_plural = "categories"
        triggers = [keeps_former_slugs(of="category", when="true")]
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="category_slug_is_unique"),
            models.UniqueConstraint(fields=["path"], name="category_path_is_unique"),
            models.UniqueConstraint(
                fields=["parent", "name"],
                name="category_name_is_unique_among_siblings",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name="category_slug_is_a_slug"),
            models.CheckConstraint(
                condition=Q(parent=None, path=_path("id"))
                | Q(parent__isnull=False, path__endswith=_path("parent_id", "id")),
                name="category_path_ends_with_parent_and_self",
            ),
            models.CheckConstraint(
                # The first place where the category stands in its path is the last one.
                condition=Exact(StrIndex(F("path"), _path("id")) + 37, Length("path")),
                name="category_is_not_its_own_ancestor",
            ),
        ]

    def __str__(self) -> str:
        return self.name
