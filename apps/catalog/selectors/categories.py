"""Reads of the category tree."""

# ruff: noqa: S611 - the SQL is constant

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.expressions import RawSQL

from apps.catalog.models import Category

# Siblings in their order; a parent's path is the beginning of its children's.
NODES = """
SELECT c.id, c.slug, c.name, c.product_count, c.parent_id, length(c.path) / 37 AS depth
FROM catalog_category c
WHERE (%(parent)s::text IS NULL OR EXISTS (
        SELECT FROM catalog_category root
        WHERE %(parent)s IN (root.id::text, root.slug)
            AND c.path > root.path AND c.path < root.path || '~'
    ))
    AND (%(depth)s::integer IS NULL OR length(c.path) / 37 <= %(depth)s + coalesce((
        SELECT length(root.path) / 37 FROM catalog_category root
        WHERE %(parent)s IN (root.id::text, root.slug)
    ), 0))
ORDER BY depth, c.position, c.name, c.id
"""

# The range of paths below a category; "~" sorts after every character of a path.
BELOW = """
SELECT c.id FROM catalog_category root
JOIN catalog_category c ON c.path >= root.path AND c.path < root.path || '~'
WHERE root.{column} = %s
"""

BREADCRUMBS = """(
    SELECT json_agg(json_build_object(
        'id', above.id, 'slug', above.slug, 'name', above.name
    ) ORDER BY length(above.path))
    FROM catalog_category above
    WHERE above.id = ANY(string_to_array(trim('/' from catalog_category.path), '/')::uuid[])
)"""

CHILDREN = """coalesce((
    SELECT json_agg(json_build_object(
        'id', child.id, 'slug', child.slug, 'name', child.name,
        'product_count', child.product_count
    ) ORDER BY child.position, child.name, child.id)
    FROM catalog_category child WHERE child.parent_id = catalog_category.id
), '[]')"""


def category_tree(
    *, parent: str | None = None, depth: int | None = None, flat: bool = False
) -> list[dict[str, Any]]:
    """Return the roots, or what is below the parent (id or slug), each with what is below it.

    At most `depth` levels. Flat, they come one after the other, each before what is below it, with
    `parent_id` and `depth` instead of children. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(NODES, {"parent": parent, "depth": depth})
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    roots: list[dict[str, Any]] = []
    below: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        siblings = below.get(row["parent_id"], roots)
        below[row["id"]] = []
        siblings.append(row if flat else _node(row, below[row["id"]]))
    return _in_order(roots, below) if flat else roots


def ids_below(reference: UUID | str) -> list[UUID]:
    """Return the ids of the category with this id or slug, and of all below it. One statement.

    None of them when there is no such category. As values they let the planner know how many
    products it will find: a small category is read by its own index, a large one by age.
    """
    column = "id" if isinstance(reference, UUID) else "slug"
    with connection.cursor() as cursor:
        cursor.execute(BELOW.format(column=column), [reference])
        return [row[0] for row in cursor.fetchall()]


def category_row(*, reference: UUID | str) -> dict[str, Any] | None:
    """Return one category by id or slug, with what stands above and directly below it."""
    by = "pk" if isinstance(reference, UUID) else "slug"
    rows = Category.objects.filter(**{by: reference}).values(
        "id",
        "slug",
        "name",
        "description",
        "seo_title",
        "seo_description",
        "position",
        "product_count",
        "version",
        breadcrumbs=RawSQL(BREADCRUMBS, []),
        below=RawSQL(CHILDREN, []),
    )
    row: Any = rows.first()
    return row


def _node(row: dict[str, Any], children: list[dict[str, Any]]) -> dict[str, Any]:
    shown = {name: row[name] for name in ("id", "slug", "name", "product_count")}
    return {**shown, "children": children}


def _in_order(
    rows: list[dict[str, Any]], below: dict[UUID, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    return [each for row in rows for each in (row, *_in_order(below[row["id"]], below))]
