"""Reads of the category tree."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from apps.catalog.models import Category


def category_tree() -> list[dict[str, Any]]:
    """Return the roots, each with its children below it. One statement.

    `product_count` counts the published products of a category and of all below it.
    """
    rows = list(
        Category.objects.annotate(
            product_count=Count("products", filter=Q(products__status="published"))
        )
        .order_by("position", "name", "id")
        .values("id", "slug", "name", "product_count", "parent_id", "path")
    )
    nodes: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        nodes[row["id"]] = {
            "id": row["id"],
            "slug": row["slug"],
            "name": row["name"],
            "product_count": row["product_count"],
            "children": [],
        }
    roots: list[dict[str, Any]] = []
    for row in rows:
        siblings = nodes[row["parent_id"]]["children"] if row["parent_id"] else roots
        siblings.append(nodes[row["id"]])
    # The longest paths are the deepest: each has counted its children when its parent asks.
    for row in sorted(rows, key=lambda row: -len(row["path"])):
        if row["parent_id"]:
            nodes[row["parent_id"]]["product_count"] += nodes[row["id"]]["product_count"]
    return roots
