"""Counting what lies somewhere, and putting the books right."""

from uuid import UUID

from django.db import connection, transaction

from apps.catalog.models import StockCount
from apps.catalog.services.stock.goods import count
from apps.catalog.services.stock.quantities import columns, summed
from apps.catalog.services.stock.references import Lines, by_id, location_id_of
from apps.kernel.audit import record
from apps.kernel.errors import NotFound
from apps.kernel.ids import new_id

# The balances are locked since they were set, so what was expected is told by the ledger's lines.
NOTE = """
INSERT INTO catalog_stockcountline (id, count_id, variant_id, expected, counted)
SELECT c.id, %(count)s, c.variant_id, c.counted - coalesce(m.on_hand_delta, 0), c.counted
FROM unnest(%(ids)s::uuid[], %(variants)s::uuid[], %(quantities)s::bigint[])
    AS c(id, variant_id, counted)
LEFT JOIN (
    catalog_stockmovement m JOIN catalog_stock s ON s.id = m.stock_id
) ON s.variant_id = c.variant_id AND m.document_id = %(count)s
"""


class UnknownStockCount(NotFound):
    """There is no such count."""

    code = "unknown_stock_count"


@transaction.atomic
def count_stock(*, location: str, lines: Lines, reason: str, actor_id: UUID | None) -> StockCount:
    """Set what lies at the location to what was counted, by SKU: all lines or none.

    What was counted at several places of the location is summed.
    Raises UnknownStockLocation, UnknownVariant, NotAQuantity; StockIsReserved when orders hold
    back more than that.
    """
    counted = summed(by_id(lines), least=0)
    made = StockCount.objects.create(
        location_id=location_id_of(location), reason=reason, actor_id=actor_id
    )
    count(
        counts=counted,
        location_id=made.location_id,
        reason=reason,
        document_id=made.pk,
        actor_id=actor_id,
    )
    with connection.cursor() as cursor:
        ids = [new_id() for _ in counted]
        cursor.execute(NOTE, {"count": made.pk, "ids": ids, **columns(counted)})
    record(
        "catalog.stock_counted", about=made.pk, after={"location": location, "lines": len(counted)}
    )
    return made
