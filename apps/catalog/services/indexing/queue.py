"""The queue for the search index: one durable row per product, which is never lost and never twice.

The row's version grows with each change. Whoever claims a version reads the product afterwards, so
a document always tells at least of the changes that its version counts.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.models import IndexingWork
from apps.kernel.trail import Trail, request_id, traceparent

LEASE = timedelta(seconds=30)
# A cluster that was away is found again within this time, whatever happened meanwhile.
SLOWEST_RETRY = timedelta(seconds=5)

# In the order of their ids, so that two of these statements never wait for each other.
ENQUEUE = """
INSERT INTO catalog_indexingwork AS w
    (product_id, version, next_action_at, waiting_since, tries, request_id, traceparent)
SELECT u.product_id, u.indexed + 1, statement_timestamp(), statement_timestamp(), 0, %s, %s
FROM unnest(%s::uuid[], %s::bigint[]) AS u(product_id, indexed)
ORDER BY u.product_id
ON CONFLICT (product_id) DO UPDATE
SET version = greatest(w.version + 1, excluded.version), next_action_at = excluded.next_action_at,
    waiting_since = coalesce(w.waiting_since, excluded.waiting_since),
    lease_until = NULL, tries = 0,
    request_id = excluded.request_id, traceparent = excluded.traceparent
"""

CLAIM = """
UPDATE catalog_indexingwork SET lease_until = statement_timestamp() + %s, tries = tries + 1
WHERE product_id IN (
    SELECT product_id FROM catalog_indexingwork
    WHERE next_action_at <= statement_timestamp()
        AND (lease_until IS NULL OR lease_until < statement_timestamp())
    ORDER BY next_action_at LIMIT %s FOR UPDATE SKIP LOCKED
)
RETURNING product_id, version, request_id, traceparent
"""

# A product that has changed meanwhile has a higher version, or is just getting it, and stays due.
STILL = """
WITH still AS MATERIALIZED (
    SELECT w.product_id
    FROM catalog_indexingwork w JOIN unnest(%s::uuid[], %s::bigint[]) AS d(product_id, version)
        ON w.product_id = d.product_id AND w.version = d.version
    ORDER BY w.product_id
    FOR UPDATE OF w SKIP LOCKED
)
UPDATE catalog_indexingwork w
"""

FINISH = f"""{STILL}
SET next_action_at = NULL, waiting_since = NULL, lease_until = NULL, tries = 0
FROM still WHERE w.product_id = still.product_id
"""

PUT_BACK = f"""{STILL}
SET lease_until = NULL,
    next_action_at = statement_timestamp()
        + least(interval '1 second' * power(2, least(w.tries, 12)), %s)
FROM still WHERE w.product_id = still.product_id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A product that this worker is to index, at the version of its change."""

    product_id: UUID
    version: int
    trail: Trail


def enqueue(product_ids: Iterable[UUID], *, indexed: Mapping[UUID, int] | None = None) -> None:
    """Have the products indexed soon, each with a version of its own, higher than all before.

    `indexed` names versions that were found in the index and must be outdone, too.
    """
    ids = sorted(set(product_ids))
    found = indexed or {}
    with connection.cursor() as cursor:
        cursor.execute(
            ENQUEUE,
            [request_id(), traceparent(), ids, [found.get(each, 0) for each in ids]],
        )


def claim(*, limit: int) -> list[Claim]:
    """Take products that are due for the time of the lease. Every call counts as a try."""
    with connection.cursor() as cursor:
        parameters: list[Any] = [LEASE, limit]
        cursor.execute(CLAIM, parameters)
        return [
            Claim(product_id, version, Trail(request, parent))
            for product_id, version, request, parent in cursor.fetchall()
        ]


def finish(claims: Collection[Claim]) -> None:
    """The index has these versions, or newer ones."""
    _settle(FINISH, claims)


def put_back(claims: Collection[Claim]) -> None:
    """The index has not taken these versions: try again, after 2, 4 and then 5 seconds."""
    _settle(PUT_BACK, claims, SLOWEST_RETRY)


def versions_of(product_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the version that each product's document has to have; 0 for one never changed."""
    ids = list(product_ids)
    known = dict(
        IndexingWork.objects.filter(pk__in=ids).values_list("product_id", "version").iterator()
    )
    return {each: known.get(each, 0) for each in ids}


def waiting(product_ids: Iterable[UUID]) -> set[UUID]:
    """Return those whose turn has not come yet."""
    due = IndexingWork.objects.filter(pk__in=list(product_ids), next_action_at__isnull=False)
    return set(due.values_list("product_id", flat=True))


def _settle(statement: str, claims: Collection[Claim], *parameters: Any) -> None:
    if claims:
        ids = [claim.product_id for claim in claims]
        versions = [claim.version for claim in claims]
        with connection.cursor() as cursor:
            cursor.execute(statement, [ids, versions, *parameters])
