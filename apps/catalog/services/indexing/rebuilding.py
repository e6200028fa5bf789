"""A new index in the place of the old one, while shoppers search and products change.

From the moment the new index is there, writers write to both. What was claimed earlier is in the
database by then, where the rebuild reads it; and of two writes of one product the version decides.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import UUID

from apps.catalog.documents import documents_of
from apps.catalog.models import Product
from apps.catalog.search import index
from apps.catalog.services.indexing import queue
from apps.catalog.services.indexing.locks import (
    ReindexIsRunning,
    changing_indices,
    rebuilding,
)

log = logging.getLogger(__name__)

BATCH = 500


class DocumentsRefused(Exception):
    """The new index does not take some products; the old one stays in its place."""


def reindex(*, progress: Callable[[int], None] = lambda written: None) -> int:
    """Index every published product anew and ask the new index from then on.

    The old index is removed. When anything fails, the old one stays, and what an interrupted
    reindex has left behind the next one removes. Returns the number of products.

    Raises ReindexIsRunning, DocumentsRefused, one of index.UNAVAILABLE.
    """
    with rebuilding():
        with changing_indices():
            index.remove(_without(index.alias()))
        new = index.create()
        try:
            written = _fill(new, progress)
            index.refresh(new)
        except BaseException:
            with suppress(*index.UNAVAILABLE), changing_indices():
                index.remove([new])
            raise
        with changing_indices():
            index.put_in_front(new)
            index.remove(_without(index.alias()))
    return written


def make_missing() -> None:
    """Index all products where no index is asked yet; leave it to whoever is at it already."""
    try:
        if not any(index.alias() in aliases for aliases in index.indices().values()):
            log.warning("There is no search index; one is made of %d products.", reindex())
    except (ReindexIsRunning, *index.UNAVAILABLE) as error:
        log.warning("No search index was made: %r", error)


def _without(alias: str) -> list[str]:
    return [name for name, aliases in index.indices().items() if alias not in aliases]


def _fill(new: str, progress: Callable[[int], None]) -> int:
    written = 0
    for ids in published_products():
        # The versions first: a document may know more than its version counts, never less.
        versions = queue.versions_of(ids)
        documents = documents_of(ids)
        refused = index.write(
            [new],
            [index.Version(each.product_id, versions[each.product_id], each) for each in documents],
        )
        if refused:
            product_id, reason = next(iter(refused.items()))
            raise DocumentsRefused(f"{len(refused)} products, such as {product_id}: {reason}")
        written += len(documents)
        progress(written)
    return written


def published_products(*, batch: int = BATCH) -> Iterator[list[UUID]]:
    """Yield the ids of all published products, in their order."""
    published = Product.objects.filter(status=Product.Status.PUBLISHED).order_by("pk")
    last = UUID(int=0)
    while ids := list(published.filter(pk__gt=last).values_list("pk", flat=True)[:batch]):
        yield ids
        last = ids[-1]
