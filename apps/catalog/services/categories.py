"""Everything that changes the category tree.

Who places a category locks the table against other writers; who only reads, or writes products,
does not notice.
"""

from typing import TypedDict
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat, Substr

from apps.catalog.models import Category, ChangedInCommon
from apps.catalog.services.changes import have_changed
from apps.catalog.services.slugs import refusing_taken, slug_for
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, NotFound, VersionMismatch

LONGEST_PATH = 10 * 37
LOCK = 0x6361_7465  # "cate"

COUNT = """
UPDATE catalog_category c SET product_count = counted.products
FROM (
    SELECT node.id, coalesce(sum(own.products), 0)::integer AS products
    FROM catalog_category node LEFT JOIN (
        SELECT above.id::uuid, p.products
        FROM (
            SELECT category_id, count(*) AS products
            FROM catalog_product WHERE status = 'published' GROUP BY category_id
        ) p
        JOIN catalog_category at ON at.id = p.category_id,
        unnest(string_to_array(trim('/' FROM at.path), '/')) AS above(id)
    ) own ON own.id = node.id
    GROUP BY node.id
) counted
WHERE c.id = counted.id AND c.product_count <> counted.products
"""


class NoSuchCategory(NotFound):
    """There is no such category."""

    code = "no_such_category"


class UnknownCategory(Invalid):
    """What is named as a category does not exist."""

    code = "unknown_category"


class CategoryInUse(Conflict):
    """Products, or other categories, stand in the category."""

    code = "category_in_use"


class CategoryCycle(Invalid):
    """A category cannot stand below itself."""

    code = "category_cycle"


class TreeTooDeep(Invalid):
    """The category tree has at most ten levels."""

    code = "category_tree_too_deep"


class CategoryFields(TypedDict, total=False):
    """What may be said about a category; what is left out stays as it is."""

    name: str
    slug: str
    description: str
    seo_title: str
    seo_description: str


@transaction.atomic
def add_category(
    *, fields: CategoryFields, parent: UUID | str | None = None, position: int | None = None
) -> Category:
    """Make a category below the parent, by id or slug, or a root; without a position the last.

    Raises UnknownCategory, TreeTooDeep, NameTaken, SlugTaken.
    """
    if not fields.get("slug"):
        fields = {**fields, "slug": slug_for(Category, fields["name"], longest=160)}
    category = Category(**fields)
    _stand_still()
    with refusing_taken():
        _place(category, _named(parent), position)
    record("catalog.category_added", about=category.pk, after=_facts(category))
    return category


@transaction.atomic
def change_category(
    *, category_id: UUID, fields: CategoryFields, expected_version: int | None = None
) -> Category:
    """Change what `fields` names. Raises NoSuchCategory, VersionMismatch, NameTaken, SlugTaken."""
    category = _locked(category_id, expected_version)
    before = _facts(category)
    for name, value in fields.items():
        setattr(category, name, value)
    category.version += 1
    with refusing_taken():
        category.save()
    have_changed(ChangedInCommon.Kind.CATEGORY, category.pk)
    record("catalog.category_changed", about=category_id, before=before, after=_facts(category))
    return category


@transaction.atomic
def move_category(
    *,
    category_id: UUID,
    parent: UUID | str | None,
    position: int | None = None,
    expected_version: int | None = None,
) -> Category:
    """Put a category, and all below it, below the parent, or among the roots.

    Raises NoSuchCategory, VersionMismatch, UnknownCategory, CategoryCycle, TreeTooDeep, NameTaken.
    """
    _stand_still()
    category = _locked(category_id, expected_version)
    before = _facts(category)
    category.version += 1
    with refusing_taken():
        _place(category, _named(parent), position)
    have_changed(ChangedInCommon.Kind.CATEGORY, category.pk)
    record("catalog.category_moved", about=category_id, before=before, after=_facts(category))
    return category


@transaction.atomic
def remove_category(*, category_id: UUID, expected_version: int | None = None) -> None:
    """Delete a category in which nothing stands.

    Raises NoSuchCategory, VersionMismatch, CategoryInUse.
    """
    category = _locked(category_id, expected_version)
    # Whoever puts something there right now holds the row, and the next statement sees it.
    removed, _ = Category.objects.filter(pk=category_id, products=None, children=None).delete()
    if not removed:
        raise CategoryInUse("Products, or other categories, stand in the category.")
    record("catalog.category_removed", about=category_id, before=_facts(category))


@transaction.atomic
def place_category(*, category: Category, parent: Category | None) -> None:
    """Save the category as it is, below the parent or as a root; what is below it moves along.

    Raises CategoryCycle, TreeTooDeep.
    """
    _stand_still()
    category.version += not category._state.adding
    _place(category, parent.pk if parent else None, category.position, renumber=False)
    have_changed(ChangedInCommon.Kind.CATEGORY, category.pk)


@transaction.atomic
def count_products() -> None:
    """Bring the numbers of products in the tree up to date. Does nothing while another does it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if cursor.fetchone() == (True,):
            cursor.execute(COUNT)


def category_id_of(reference: str | UUID) -> UUID | None:
    """Return the id of the category with this id or slug, which then stays until the commit."""
    column = "id" if isinstance(reference, UUID) else "slug"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM catalog_category WHERE {column} = %s FOR SHARE",  # noqa: S608 - one of two
            [reference],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _stand_still() -> None:
    with connection.cursor() as cursor:
        # Moves wait for each other, or two of them could make a cycle between them.
        cursor.execute("LOCK TABLE catalog_category IN SHARE ROW EXCLUSIVE MODE")


def _locked(category_id: UUID, expected_version: int | None) -> Category:
    with connection.cursor() as cursor:
        # Whoever holds the table must not find the row held by somebody who waits for the table.
        cursor.execute("LOCK TABLE catalog_category IN ROW EXCLUSIVE MODE")
    category = Category.objects.select_for_update().filter(pk=category_id).first()
    if category is None:
        raise NoSuchCategory("There is no such category.")
    if expected_version not in {None, category.version}:
        raise VersionMismatch("The category has changed.", version=category.version)
    return category


def _named(parent: UUID | str | None) -> UUID | None:
    if parent is None:
        return None
    found = category_id_of(parent)
    if found is None:
        raise UnknownCategory("There is no such category.", category=str(parent))
    return found


def _place(
    category: Category, parent_id: UUID | None, position: int | None, *, renumber: bool = True
) -> None:
    """Save the category at its place. The table is locked."""
    above = "/"
    if parent_id is not None:
        above = Category.objects.values_list("path", flat=True).get(pk=parent_id)
    if f"/{category.pk}/" in above:
        raise CategoryCycle("A category cannot stand below itself.")
    old = Category.objects.filter(pk=category.pk).values_list("path", flat=True).first()
    below = Category.objects.filter(path__startswith=old).exclude(pk=category.pk) if old else None
    category.parent_id = parent_id
    category.path = f"{above}{category.pk}/"
    deepest = max(
        [len(path) - len(old or "") for path in below.values_list("path", flat=True)]
        if below is not None
        else [0],
        default=0,
    )
    if len(category.path) + deepest > LONGEST_PATH + 1:
        raise TreeTooDeep("The category tree has at most ten levels.")
    if renumber:
        _make_room(category, position)
    category.save()
    if below is not None and old and old != category.path:
        below.update(path=Concat(Value(category.path), Substr(F("path"), len(old) + 1)))


def _make_room(category: Category, position: int | None) -> None:
    """Number the siblings 0, 1, 2 …, leaving the position, or the last one, to the category."""
    siblings = Category.objects.filter(parent_id=category.parent_id).exclude(pk=category.pk)
    ids = list(siblings.order_by("position", "name", "pk").values_list("pk", flat=True))
    category.position = len(ids) if position is None else min(position, len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE catalog_category c SET position = given.n - 1 + (given.n > %s)::integer
            FROM unnest(%s::uuid[]) WITH ORDINALITY AS given(id, n)
            WHERE c.id = given.id AND c.position <> given.n - 1 + (given.n > %s)::integer
            """,
            [category.position, ids, category.position],
        )


def _facts(category: Category) -> dict[str, object]:
    names = ("name", "slug", "parent_id", "position", "version")
    return {name: getattr(category, name) for name in names}
