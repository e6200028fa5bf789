"""Telling the world that products are not what they were."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.catalog.models import Product
from apps.catalog.services.search_index import refresh
from apps.kernel.events import Event, publish_all

BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(Event):
    """A product or one of its variants is not what it was."""

    name: ClassVar[str] = "catalog.product_changed"
    product_id: UUID
    version: int


def have_changed(products: Q) -> None:
    """Note that the documents of these products show something that has changed elsewhere.

    Belongs behind the change, into its transaction. What follows is `tell_changes`.
    """
    ids = Product.objects.filter(products).values("pk")
    sql, parameters = ids.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO catalog_changedproduct {sql} ON CONFLICT DO NOTHING",
            parameters,
        )


@transaction.atomic
def tell_changes() -> bool:
    """Give products that have changed elsewhere their next version, and tell the world of it.

    A batch at a time, so that nobody who writes a product waits for long. Returns whether there
    was anything to tell.
    """
    with connection.cursor() as cursor:
        # A product that somebody writes is left for the next turn: who waits here for it could be
        # waited for by whoever holds what it is about to name.
        cursor.execute(
            """
            DELETE FROM catalog_changedproduct WHERE product_id = ANY(ARRAY(
                SELECT p.id FROM catalog_changedproduct c
                JOIN catalog_product p ON p.id = c.product_id
                ORDER BY p.id LIMIT %s FOR NO KEY UPDATE OF p SKIP LOCKED
            ))
            RETURNING product_id
            """,
            [BATCH],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return False
        refresh(product_ids=ids)
        cursor.execute(
            """
            UPDATE catalog_product SET version = version + 1, updated_at = now()
            WHERE id = ANY(%s) RETURNING id, version
            """,
            [ids],
        )
        changed = cursor.fetchall()
    publish_all({pk: ProductChanged(product_id=pk, version=version) for pk, version in changed})
    return True
