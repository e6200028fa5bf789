"""Working the queue off: what is due is written to the index, in the order of its versions."""

import logging

from apps.catalog.documents import documents_of
from apps.catalog.search import index
from apps.catalog.services.indexing import queue
from apps.catalog.services.indexing.locks import writing
from apps.kernel.trail import following

log = logging.getLogger(__name__)

BATCH = 500


def index_due(*, limit: int = BATCH) -> bool:
    """Write one batch of what is due. Returns whether it is worth going on at once.

    What the index does not take stays due. During a reindex both indices are written.
    """
    claims = queue.claim(limit=limit)
    if not claims:
        return False
    # Read after the claim, so that each document tells at least of what its version counts.
    documents = {each.product_id: each for each in documents_of([c.product_id for c in claims])}
    versions = [
        index.Version(each.product_id, each.version, documents.get(each.product_id))
        for each in claims
    ]
    try:
        with writing():
            indices = index.in_use(patience=index.PATIENCE_OF_WRITERS)
            refused = (
                index.write(indices, versions, patience=index.PATIENCE_OF_WRITERS)
                if indices
                else {}
            )
    except index.UNAVAILABLE as error:
        log.warning("The search cluster takes nothing: %s", type(error).__name__)
        queue.put_back(claims)
        return False
    if not indices:
        log.warning("There is no search index yet; one is going to be made.")
        queue.put_back(claims)
        return False
    left = [each for each in claims if each.product_id in refused]
    for each in left:
        with following(each.trail, "catalog.index_products"):
            log.error("The search index refuses a product: %s", refused[each.product_id])
    queue.finish([each for each in claims if each.product_id not in refused])
    queue.put_back(left)
    return len(claims) == limit
