"""What goes with what, learned from all receipts of the data set, and how well that serves."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from dataclasses import dataclass
from uuid import UUID

import pyarrow.compute as pc
from django.db import connection, transaction

from apps.catalog import interface as catalog
from apps.orders.management.complete_journey.products import sku_of
from apps.orders.management.complete_journey.purchases import (
    Advance,
    faults_of,
    pieces,
    product_ids,
    reasons_of,
)
from apps.orders.management.complete_journey.source import Source
from apps.orders.selectors.companions import (
    COMPANIONS,
    FEWEST_ORDERS,
    MOST_COMPANIONS,
    companions_in,
)

COLUMNS = ["basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp"]
SHOWN = 10

RECEIPTS = """
CREATE TEMPORARY TABLE receipt_line (basket bigint, product {kind}, at timestamp) ON COMMIT DROP
"""

# The last part of the baskets, by time, is held out, and one product of each of them is hidden: the
# one whose digest comes first, so that every run hides the same.
SPLIT_AND_LEARN = (
    """
    CREATE TEMPORARY TABLE known ON COMMIT DROP AS
    SELECT DISTINCT basket, product FROM receipt_line WHERE basket IN (
        SELECT basket FROM (
            SELECT basket, percent_rank() OVER (ORDER BY min(at), basket) AS place
            FROM receipt_line GROUP BY basket
        ) baskets WHERE place <= 1 - %(held_out)s::float8
    )
    """,
    """
    CREATE TEMPORARY TABLE held_out ON COMMIT DROP AS
    SELECT basket, product, row_number() OVER (
        PARTITION BY basket ORDER BY md5(basket || ' ' || product)
    ) = 1 AS hidden
    FROM (
        SELECT *, count(*) OVER (PARTITION BY basket) AS products FROM (
            SELECT DISTINCT basket, product FROM receipt_line r
            WHERE NOT EXISTS (SELECT FROM known k WHERE k.basket = r.basket)
        ) lines
    ) baskets WHERE products > 1
    """,
    "CREATE INDEX ON held_out (basket)",
    f"""
    CREATE TEMPORARY TABLE learned ON COMMIT DROP AS
    {COMPANIONS.format(baskets="SELECT basket, product FROM known")}
    """,
    "CREATE INDEX ON learned (product)",
    "ANALYZE known, held_out, learned",
)

# The products that go with what is seen of a basket, by the sum of their scores.
HIT_BY_COMPANIONS = """
SELECT count(*), count(*) FILTER (WHERE h.product = ANY(ARRAY(
    SELECT l.other FROM held_out s JOIN learned l ON l.product = s.product
    WHERE s.basket = h.basket AND NOT s.hidden AND NOT EXISTS (
        SELECT FROM held_out o
        WHERE o.basket = h.basket AND o.product = l.other AND NOT o.hidden)
    GROUP BY l.other ORDER BY sum(l.score) DESC, l.other LIMIT %(shown)s
)))
FROM held_out h WHERE h.hidden
"""

# The products of most baskets. Baskets are small: nobody has bought more than that many of them.
HIT_BY_POPULARITY = """
WITH popular AS MATERIALIZED (
    SELECT product, count(*) AS baskets FROM known GROUP BY product
    ORDER BY baskets DESC, product LIMIT 500
)
SELECT count(*), count(*) FILTER (WHERE h.product = ANY(ARRAY(
    SELECT p.product FROM popular p WHERE NOT EXISTS (
        SELECT FROM held_out o
        WHERE o.basket = h.basket AND o.product = p.product AND NOT o.hidden)
    ORDER BY p.baskets DESC, p.product LIMIT %(shown)s
)))
FROM held_out h WHERE h.hidden
"""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """In how many of the held-out baskets the hidden product was among the ten shown."""

    baskets_learned: int
    baskets_held_out: int
    hits: int
    hits_by_popularity: int


@transaction.atomic
def learn(source: Source, advance: Advance) -> catalog.CompanionsKept:
    """Keep for the catalog's products what the receipts show to be bought together.

    Raises DataMissing.
    """
    ids = product_ids(source.products).to_pylist()
    offers = catalog.offers_by_sku(skus=[sku_of(product_id) for product_id in ids])
    names = {int(sku): offer.product_id for sku, offer in offers.items()}
    _read(source, advance, kind="uuid", names=names)
    return catalog.keep_companions(
        companions=companions_in("SELECT DISTINCT basket, product FROM receipt_line")
    )


@transaction.atomic
def evaluate(source: Source, advance: Advance, *, held_out: float) -> Evaluation:
    """Learn from the earlier baskets, and look for a hidden product in each of the later ones.

    Raises DataMissing.
    """
    _read(source, advance, kind="bigint")
    values = {"held_out": held_out, "fewest": FEWEST_ORDERS, "most": MOST_COMPANIONS}
    with connection.cursor() as cursor:
        for statement in SPLIT_AND_LEARN:
            cursor.execute(statement, values)
        cursor.execute("SELECT count(DISTINCT basket) FROM known")
        (baskets_learned,) = cursor.fetchone()
        cursor.execute(HIT_BY_COMPANIONS, {"shown": SHOWN})
        baskets_held_out, hits = cursor.fetchone()
        cursor.execute(HIT_BY_POPULARITY, {"shown": SHOWN})
        _, hits_by_popularity = cursor.fetchone()
    return Evaluation(
        baskets_learned=baskets_learned,
        baskets_held_out=baskets_held_out,
        hits=hits,
        hits_by_popularity=hits_by_popularity,
    )


def _read(
    source: Source, advance: Advance, *, kind: str, names: dict[int, UUID] | None = None
) -> None:
    """Copy the usable lines into a temporary table, under other names for the products if given."""
    known = product_ids(source.products)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(RECEIPTS.format(kind=kind))
        with cursor.copy("COPY receipt_line (basket, product, at) FROM STDIN") as table:
            for _, piece in pieces(source.transactions, COLUMNS):
                usable = piece.filter(pc.is_null(reasons_of(faults_of(piece, known))))
                baskets, products, times = (
                    usable[name].to_pylist()
                    for name in ("basket_id", "product_id", "transaction_timestamp")
                )
                for basket, product, at in zip(baskets, products, times, strict=True):
                    name = product if names is None else names.get(product)
                    if name is not None:
                        table.write_row((basket, name, at))
                advance(piece.num_rows)
        cursor.execute("ANALYZE receipt_line")
