"""Reads of what is shown beside a product."""

from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.selectors.products import Buyer, product_rows

# One row for the product itself, so that one without others is told from one that does not exist.
RELATED = """
SELECT p.version, r.kind, r.other_id FROM catalog_product p
LEFT JOIN LATERAL (
    SELECT kind, other_id, position::float8 AS place FROM catalog_relatedproduct
    WHERE product_id = p.id
    UNION ALL
    SELECT 'bought_together', other_id, -score FROM catalog_boughttogether WHERE product_id = p.id
) r ON true
WHERE p.{column} = %(reference)s AND (p.status = 'published' OR NOT %(public)s)
ORDER BY r.kind, r.place, r.other_id
"""


def related_rows(
    *, reference: UUID | str, for_staff: bool, buyer: Buyer
) -> tuple[int, list[tuple[str, dict[str, Any]]]] | None:
    """Return the product's version, and by kind the published products beside it, in order.

    Two statements; None when there is no such product.
    """
    column = "id" if isinstance(reference, UUID) else "slug"
    with connection.cursor() as cursor:
        cursor.execute(
            RELATED.format(column=column), {"reference": reference, "public": not for_staff}
        )
        found = cursor.fetchall()
    if not found:
        return None
    others = [(kind, other) for _, kind, other in found if other is not None]
    shown = product_rows(buyer=buyer, for_staff=for_staff).filter(
        pk__in=[other for _, other in others]
    )
    rows = {row["id"]: row for row in shown}
    return found[0][0], [(kind, rows[other]) for kind, other in others if other in rows]
