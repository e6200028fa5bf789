"""What is bought together, counted in baskets."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection

from apps.catalog import interface as catalog

# One basket says little, and there are as many chance pairs as anything else.
FEWEST_ORDERS = 2
MOST_COMPANIONS = 20
ROWS_AT_ONCE = 10_000

# Over rows of (basket, product), each pair once. The score is the share of a product's baskets
# that hold the other one, divided by how common the other one is, or bananas would go with
# everything; the exponent is the one that served held-out baskets best (docs/recommendations.md).
COMPANIONS = """
WITH lines AS MATERIALIZED ({baskets}), common AS MATERIALIZED (
    SELECT product, count(*) AS baskets FROM lines GROUP BY product
), pairs AS MATERIALIZED (
    SELECT a.product AS one, b.product AS other, count(*) AS baskets
    FROM lines a JOIN lines b ON b.basket = a.basket AND b.product > a.product
    GROUP BY a.product, b.product HAVING count(*) >= %(fewest)s
), scored AS (
    SELECT p.product, p.other, p.baskets,
        p.baskets / (a.baskets * power(b.baskets::float8, 0.3::float8)) AS score
    FROM (
        SELECT one AS product, other, baskets FROM pairs
        UNION ALL SELECT other, one, baskets FROM pairs
    ) p
    JOIN common a ON a.product = p.product
    JOIN common b ON b.product = p.other
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY product ORDER BY score DESC, other) AS place
    FROM scored
)
SELECT product, other, baskets, score FROM ranked WHERE place <= %(most)s
"""

SOLD = """
SELECT DISTINCT l.order_id AS basket, l.product_id AS product
FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
WHERE o.status IN ('paid', 'fulfilling', 'completed')
    AND o.placed_at >= statement_timestamp() - %(within)s
"""


def companions(*, within: timedelta) -> Iterator[catalog.Companion]:
    """Yield what was bought together in the orders of that time that were paid.

    At most 20 for each product, best first, and only what two orders or more have shown. Takes as
    long as the orders need, and memory for a part of the answer only.
    """
    yield from companions_in(SOLD, within=within)


def companions_in(baskets: str, **values: Any) -> Iterator[catalog.Companion]:
    """Yield the same of a statement that gives rows of (basket, product), each pair once."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            COMPANIONS.format(baskets=baskets),
            {"fewest": FEWEST_ORDERS, "most": MOST_COMPANIONS} | values,
        )
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            for row in rows:
                yield catalog.Companion(*row)
