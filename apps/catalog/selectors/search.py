"""Reads for what a search engine has found."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.selectors.products import product_rows

# Rare queries may tell of the person who asked; what others are shown was asked often.
POPULAR_FROM = 5
LITERALLY = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})
POPULAR = f"""
SELECT c.query FROM catalog_searchcount c
WHERE c.query LIKE %(beginning)s AND c.day > current_date - 30
GROUP BY c.query HAVING sum(c.times) >= {POPULAR_FROM} AND max(c.results) > 0
ORDER BY sum(c.times) DESC, c.query LIMIT %(limit)s
"""


def found_rows(product_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return the published products in the order of the ids. One statement."""
    rows = {row["id"]: row for row in product_rows().filter(pk__in=product_ids)}
    return [rows[product_id] for product_id in product_ids if product_id in rows]


def popular_queries(text: str, *, limit: int) -> tuple[str, ...]:
    """Return what many have looked for that begins with the text and is there. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(POPULAR, popular(text, limit=limit))
        return tuple(query for (query,) in cursor.fetchall())


def popular(text: str, *, limit: int) -> dict[str, Any]:
    """Return what the parameters of POPULAR stand for."""
    return {"beginning": query_as_counted(text).translate(LITERALLY) + "%", "limit": limit}


def query_as_counted(text: str) -> str:
    """Return the text without what two people would type differently."""
    return " ".join(text.replace("\0", " ").lower().split())
