"""What products of a file name: brands, tags, and categories by their path."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from apps.catalog.models import Brand, Category, Tag
from apps.catalog.services.slugs import free_slug

CategoryPath = tuple[str, ...]


def spelled(kind: type[Brand] | type[Tag], references: Iterable[str]) -> dict[str, str]:
    """Return how brands or tags are spelled, by slug or by name in any case, if there are such."""
    wanted = sorted(set(references))
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT wanted.name, l.name FROM unnest(%(wanted)s::text[]) AS wanted(name)
            JOIN {kind._meta.db_table} l ON l.slug = wanted.name
            UNION ALL SELECT wanted.name, l.name FROM unnest(%(wanted)s::text[]) AS wanted(name)
            JOIN {kind._meta.db_table} l ON upper(l.name) = upper(wanted.name)
            """,  # noqa: S608 - the table is one of two
            {"wanted": wanted},
        )
        return dict(cursor.fetchall())


def category_ids(*, paths: Iterable[CategoryPath]) -> dict[CategoryPath, UUID]:
    """Return the categories by their names from the root down, after making what is missing."""
    wanted = {path for path in paths if path}
    if not wanted:
        return {}
    tree = _Tree()
    if not wanted <= tree.ids.keys():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE catalog_category IN SHARE ROW EXCLUSIVE MODE")
        tree = _Tree()
        tree.make(wanted)
    return tree.ids


class _Tree:
    """The categories by their names from the root down, as they are now."""

    def __init__(self) -> None:
        self.ids: dict[CategoryPath, UUID] = {}
        self._paths: dict[UUID, str] = {}
        self._slugs: set[str] = set()
        names: dict[UUID, CategoryPath] = {}
        # A parent's path is the beginning of its children's, so parents come first.
        columns = ("id", "parent_id", "name", "slug", "path")
        for pk, parent_id, name, slug, path in Category.objects.order_by("path").values_list(
            *columns
        ):
            names[pk] = (*(names[parent_id] if parent_id else ()), name)
            self.ids[names[pk]] = pk
            self._paths[pk] = path
            self._slugs.add(slug)

    def make(self, wanted: Iterable[CategoryPath]) -> None:
        """Make the categories that are missing, and what they stand below."""
        made: list[Category] = []
        steps = {path[:depth] for path in wanted for depth in range(1, len(path) + 1)}
        for names in sorted(steps, key=lambda step: (len(step), step)):
            if names in self.ids:
                continue
            parent_id = self.ids.get(names[:-1])
            category = Category(
                name=names[-1],
                slug=free_slug([names[-1], " ".join(names)], self._slugs, longest=160),
                parent_id=parent_id,
                position=len(made),
            )
            category.path = f"{self._paths[parent_id] if parent_id else '/'}{category.pk}/"
            self.ids[names], self._paths[category.pk] = category.pk, category.path
            made.append(category)
        Category.objects.bulk_create(made)
