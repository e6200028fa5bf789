"""Prices that begin and end, and the copies of the current ones that lists are sorted by.

Whoever changes prices locks the price lists first, then the products, then the prices, each in the
order of their ids, so that no two can deadlock.
"""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from apps.catalog.pricing import LOWEST, applicable

# One moment of each variant at a time, the earliest: triggers note the prices as of that moment.
BEGIN_AND_END = """
WITH due AS MATERIALIZED (
    SELECT id, next_change_at AS at FROM (
        SELECT p.id, p.next_change_at,
            min(p.next_change_at) OVER (PARTITION BY p.variant_id) AS first
        FROM catalog_price p JOIN catalog_variant v ON v.id = p.variant_id
        WHERE v.product_id = ANY(%(products)s::uuid[])
            AND p.next_change_at <= statement_timestamp()
    ) prices WHERE next_change_at = first
), locked AS MATERIALIZED (
    SELECT p.id, due.at FROM catalog_price p JOIN due ON due.id = p.id ORDER BY p.id FOR UPDATE OF p
), ended AS (
    DELETE FROM catalog_price p USING locked
    WHERE p.id = locked.id AND p.valid_until <= locked.at
    RETURNING p.id
), going_on AS (
    UPDATE catalog_price p SET next_change_at = NULL FROM locked
    WHERE p.id = locked.id AND (p.valid_until IS NULL OR p.valid_until > locked.at)
    RETURNING p.id
)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM going_on)
"""

BECOME_REGULAR = """
WITH begun AS (
    DELETE FROM catalog_price p USING catalog_variant v
    WHERE v.id = p.variant_id AND v.product_id = ANY(%(products)s::uuid[])
        AND p.price_list_id IS NULL AND p.valid_until IS NULL AND p.next_change_at IS NULL
    RETURNING p.variant_id, p.amount_minor, p.compare_at_minor, p.valid_from
)
UPDATE catalog_variant v
SET price_minor = latest.amount_minor, compare_at_minor = latest.compare_at_minor
FROM (SELECT DISTINCT ON (variant_id) * FROM begun ORDER BY variant_id, valid_from DESC) latest
WHERE v.id = latest.variant_id
"""

SETTLE = f"""
UPDATE catalog_product p SET price_from_minor = now.amount_minor,
    compare_at_minor = now.compare_at_minor, lowest_minor = now.lowest_minor,
    version = p.version + %(versions)s,
    updated_at = CASE WHEN %(versions)s = 0 THEN p.updated_at ELSE statement_timestamp() END
FROM (
    SELECT d.id, cheapest.* FROM catalog_product d LEFT JOIN LATERAL (
        SELECT r.amount_minor, r.compare_at_minor, {LOWEST.format(currency="v.currency")}
            AS lowest_minor
        FROM catalog_variant v CROSS JOIN LATERAL ({applicable(at="statement_timestamp()")}) r
        WHERE v.product_id = d.id AND v.is_active
        ORDER BY r.amount_minor, v.position, v.id LIMIT 1
    ) cheapest ON true
    WHERE d.id = ANY(%(products)s::uuid[])
) now
WHERE p.id = now.id AND (%(versions)s > 0
    OR (p.price_from_minor, p.compare_at_minor, p.lowest_minor)
        IS DISTINCT FROM (now.amount_minor, now.compare_at_minor, now.lowest_minor))
RETURNING p.id, p.version
"""


def begin_and_end(*, product_ids: Collection[UUID]) -> None:
    """Let what is due of these products' prices begin and end. The caller has locked them.

    One statement when nothing is due. Repeatable.
    """
    products = {"products": list(product_ids)}
    with connection.cursor() as cursor:
        cursor.execute(BEGIN_AND_END, products)
        if cursor.fetchone() == (0,):
            return
        cursor.execute(BEGIN_AND_END, products)
        while cursor.fetchone() != (0,):
            cursor.execute(BEGIN_AND_END, products)
        cursor.execute(BECOME_REGULAR, products)


def settle_prices(*, product_ids: Collection[UUID], versions: int = 0) -> dict[UUID, int]:
    """Copy what everybody pays now to the products, after their prices were changed.

    Counts their versions up by `versions`. Returns the new version of each product that was
    written. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"products": list(product_ids), "versions": versions})
        return dict(cursor.fetchall())
