"""Keeping what is bought together."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db import connection, transaction

BATCH = 10_000
# Two builds at a time would only undo each other.
LOCK = 7_316_550_503

FOUND = """
CREATE TEMPORARY TABLE found (
    product_id uuid, other_id uuid, orders int, score float8, PRIMARY KEY (product_id, other_id)
)
"""

ADD = """
INSERT INTO found SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::float8[])
"""

# What has not changed is not written.
KEEP = """
INSERT INTO catalog_boughttogether AS kept (product_id, other_id, orders, score)
SELECT f.product_id, f.other_id, f.orders, f.score FROM found f
WHERE EXISTS (SELECT FROM catalog_product p WHERE p.id = f.product_id)
    AND EXISTS (SELECT FROM catalog_product p WHERE p.id = f.other_id)
ON CONFLICT (product_id, other_id) DO UPDATE SET orders = excluded.orders, score = excluded.score
WHERE (kept.orders, kept.score) IS DISTINCT FROM (excluded.orders, excluded.score)
"""

FORGET = """
DELETE FROM catalog_boughttogether kept WHERE NOT EXISTS (
    SELECT FROM found f WHERE (f.product_id, f.other_id) = (kept.product_id, kept.other_id)
)
"""


@dataclass(frozen=True, slots=True)
class Companion:
    """That so many orders held a product with another one. The higher the score, the better."""

    product_id: UUID
    other_id: UUID
    orders: int
    score: float


@dataclass(frozen=True, slots=True)
class CompanionsKept:
    """How many pairs are new or say something new, and how many are gone."""

    written: int
    forgotten: int


@transaction.atomic
def keep_companions(*, companions: Iterable[Companion]) -> CompanionsKept:
    """Make these pairs, each named once, all that is known to be bought together.

    Readers see the old pairs until the new ones are complete. Pairs of products that the catalog
    does not know are left out.
    """
    iterator = iter(companions)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        # Counting pairs takes minutes, and several times as long when it has to sort on the disk.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute(FOUND)
        while batch := list(islice(iterator, BATCH)):
            cursor.execute(
                ADD,
                [
                    [companion.product_id for companion in batch],
                    [companion.other_id for companion in batch],
                    [companion.orders for companion in batch],
                    [companion.score for companion in batch],
                ],
            )
        cursor.execute("ANALYZE found")
        cursor.execute(KEEP)
        written = cursor.rowcount
        cursor.execute(FORGET)
        forgotten = cursor.rowcount
        cursor.execute("DROP TABLE found")
    return CompanionsKept(written=written, forgotten=forgotten)
