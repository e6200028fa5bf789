"""Everything that changes the category tree."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr

from apps.catalog.models import Category
from apps.kernel.errors import Invalid

LONGEST_PATH = 10 * 37


class CategoryCycle(Invalid):
    """A category cannot stand below itself."""

    code = "category_cycle"


class TreeTooDeep(Invalid):
    """The category tree has at most ten levels."""

    code = "category_tree_too_deep"


@transaction.atomic
def place_category(*, category: Category, parent: Category | None) -> None:
    """Save the category below the parent, or as a root; what is below it moves along.

    Raises CategoryCycle, TreeTooDeep.
    """
    with connection.cursor() as cursor:
        # Moves wait for each other, or two of them could make a cycle between them.
        cursor.execute("LOCK TABLE catalog_category IN SHARE ROW EXCLUSIVE MODE")
    parent_path = "/"
    if parent is not None:
        parent_path = Category.objects.values_list("path", flat=True).get(pk=parent.pk)
    if f"/{category.pk}/" in parent_path:
        raise CategoryCycle("A category cannot stand below itself.")
    old = Category.objects.filter(pk=category.pk).values_list("path", flat=True).first()
    category.parent = parent
    category.path = f"{parent_path}{category.pk}/"
    if len(category.path) > LONGEST_PATH + 1:
        raise TreeTooDeep("The category tree has at most ten levels.")
    category.save()
    if old is not None and old != category.path:
        Category.objects.filter(path__startswith=old).exclude(pk=category.pk).update(
            path=Concat(Value(category.path), Substr(F("path"), len(old) + 1))
        )


def category_id_of(reference: str | UUID) -> UUID | None:
    """Return the id of the category with this id or slug."""
    by = "pk" if isinstance(reference, UUID) else "slug"
    return Category.objects.filter(**{by: reference}).values_list("pk", flat=True).first()
