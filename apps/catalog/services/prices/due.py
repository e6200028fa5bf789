"""The sweeper of prices: what is due begins and ends, and lists and search hear of it."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.prices.current import begin_and_end, settle_prices
from apps.catalog.services.search_index import refresh
from apps.kernel.events import publish_all

BATCH = 200

# Products that somebody is changing are left for the next time.
DUE = """
SELECT d.id FROM catalog_product d WHERE d.id IN (
    SELECT v.product_id FROM (
        SELECT variant_id FROM catalog_price WHERE next_change_at <= statement_timestamp()
        ORDER BY next_change_at LIMIT %s
    ) due JOIN catalog_variant v ON v.id = due.variant_id
) ORDER BY d.id FOR NO KEY UPDATE OF d SKIP LOCKED
"""


@transaction.atomic
def apply_due_prices() -> bool:
    """Let the prices of some products begin and end that should have. False when none is due."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, [BATCH])
        product_ids = [row[0] for row in cursor.fetchall()]
    if not product_ids:
        return False
    begin_and_end(product_ids=product_ids)
    tell(product_ids)
    return True


def tell(product_ids: Iterable[UUID]) -> None:
    """Copy the current prices of locked products to where they are looked up, and say so."""
    changed = settle_prices(product_ids=list(product_ids), versions=1)
    publish_all({pk: ProductChanged(product_id=pk, version=changed[pk]) for pk in sorted(changed)})
    refresh(product_ids=list(changed))
