"""Reads for what a search engine has found."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.catalog.selectors.products import Buyer, product_rows

# Rare queries may tell of the person who asked; what others are shown was asked often.
POPULAR_FROM = 5
# What begins with a text lies between it and the text with the last of all characters behind it.
POPULAR = f"""
SELECT c.query FROM catalog_searchcount c
WHERE c.query >= %(beginning)s::text AND c.query < %(beginning)s::text || chr(1114111)
    AND c.day > current_date - 30
GROUP BY c.query HAVING sum(c.times) >= {POPULAR_FROM} AND max(c.results) > 0
ORDER BY sum(c.times) DESC, c.query LIMIT %(limit)s
"""

SEARCHES = """
WITH asked AS MATERIALIZED (
    SELECT query, sum(times)::bigint AS times,
        (array_agg(results ORDER BY day DESC))[1] AS results
    FROM catalog_searchcount WHERE day > current_date - %(days)s GROUP BY query
), named AS (
    SELECT * FROM asked WHERE times >= %(fewest)s
)
SELECT (SELECT coalesce(sum(times), 0)::bigint FROM asked),
    (SELECT coalesce(json_agg(m), '[]')::text FROM (
        SELECT * FROM named ORDER BY times DESC, query LIMIT %(limit)s) m),
    (SELECT coalesce(json_agg(w), '[]')::text FROM (
        SELECT * FROM named WHERE results = 0 ORDER BY times DESC, query LIMIT %(limit)s) w)
"""


def found_rows(product_ids: Sequence[UUID], *, buyer: Buyer | None = None) -> list[dict[str, Any]]:
    """Return the published products in the order of the ids. One statement."""
    rows = {row["id"]: row for row in product_rows(buyer=buyer).filter(pk__in=product_ids)}
    return [rows[product_id] for product_id in product_ids if product_id in rows]


def popular_queries(text: str, *, limit: int) -> tuple[str, ...]:
    """Return what many have looked for that begins with the text and is there. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(POPULAR, popular(text, limit=limit))
        return tuple(query for (query,) in cursor.fetchall())


def searches(*, days: int, limit: int) -> tuple[int, list[dict[str, Any]], list[dict[str, Any]]]:
    """Return how many searches there were, what was searched most, and what found nothing.

    One statement. What only a few have asked is counted but not named.
    """
    with connection.cursor() as cursor:
        cursor.execute(SEARCHES, {"days": days, "limit": limit, "fewest": POPULAR_FROM})
        total, most, without = cursor.fetchone()
    return total, orjson.loads(most), orjson.loads(without)


def popular(text: str, *, limit: int) -> dict[str, Any]:
    """Return what the parameters of POPULAR stand for."""
    return {"beginning": query_as_counted(text), "limit": limit}


def query_as_counted(text: str) -> str:
    """Return the text without what two people would type differently."""
    return " ".join(text.replace("\0", " ").lower().split())
