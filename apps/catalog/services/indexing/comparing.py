"""Is the index what the database says? Every document against every product."""

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from apps.catalog.documents import documents_of
from apps.catalog.search import index
from apps.catalog.services.indexing import queue
from apps.catalog.services.indexing.rebuilding import BATCH, published_products


@dataclass(frozen=True, slots=True)
class Differences:
    """Products that the index lacks, has too many of, or knows as they were."""

    missing: frozenset[UUID]
    surplus: frozenset[UUID]
    stale: frozenset[UUID]

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.stale)

    def __str__(self) -> str:
        return f"{len(self.missing)} missing, {len(self.surplus)} surplus, {len(self.stale)} stale"


def differences(*, patience: float) -> Differences:
    """Compare all of both. A difference counts when it is still there after `patience` seconds.

    Raises one of index.UNAVAILABLE.
    """
    found: dict[UUID, str] = {}
    for ids in published_products():
        found |= _compare(ids)
    index.refresh(index.alias())
    for ids in index.published_in_index():
        found |= _compare(ids)
    deadline = time.monotonic() + patience
    while found and time.monotonic() < deadline:
        time.sleep(min(1.0, patience))
        found = {
            product_id: kind
            for ids in _batches(found)
            for product_id, kind in _compare(ids).items()
        }
    return Differences(
        *(
            frozenset(product_id for product_id, what in found.items() if what == kind)
            for kind in ("missing", "surplus", "stale")
        )
    )


def repair(found: Differences) -> None:
    """Have the products that differ indexed again, whatever version the index has of them."""
    for ids in _batches(found.missing | found.surplus | found.stale):
        known = index.found_in_index(ids)
        queue.enqueue(ids, indexed={each: version for each, (version, _) in known.items()})


def _compare(ids: Collection[UUID]) -> dict[UUID, str]:
    documents = {each.product_id: each for each in documents_of(ids)}
    indexed = {
        product_id: source
        for product_id, (_, source) in index.found_in_index(ids).items()
        if source["is_published"]
    }
    found = dict.fromkeys(documents.keys() - indexed.keys(), "missing")
    found |= dict.fromkeys(indexed.keys() - documents.keys(), "surplus")
    for product_id in documents.keys() & indexed.keys():
        if index.source_of(documents[product_id]) != indexed[product_id]:
            found[product_id] = "stale"
    return found


def _batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch
