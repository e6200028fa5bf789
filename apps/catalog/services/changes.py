"""Telling the world that products are not what they were."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.catalog.models import Attribute, ChangedInCommon, ChangedProduct, Product
from apps.catalog.services.search_index import refresh
from apps.kernel.events import Event, publish_all

BATCH, NOTED_AT_ONCE = 200, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(Event):
    """A product or one of its variants is not what it was."""

    name: ClassVar[str] = "catalog.product_changed"
    product_id: UUID
    version: int


def have_changed(kind: ChangedInCommon.Kind, reference: UUID) -> None:
    """Note that the documents of all products that have this in common are not what they were.

    Belongs behind the change, into its transaction: one row. What follows is `tell_changes`.
    """
    ChangedInCommon.objects.bulk_create(
        [ChangedInCommon(kind=kind, reference=reference, after=UUID(int=0))],
        update_conflicts=True,
        unique_fields=["kind", "reference"],
        update_fields=["after"],
    )


def tell_changes() -> bool:
    """Give products that have changed elsewhere their next version, and tell the world of it.

    A batch at a time, so that nobody who writes a product waits for long. Returns whether there
    was anything to tell.
    """
    noted = _note_products()
    return _tell_of_products() or noted


@transaction.atomic
def _note_products() -> bool:
    """Note the next products that have something in common that has changed."""
    changed = ChangedInCommon.objects.select_for_update(skip_locked=True).order_by("pk").first()
    if changed is None:
        return False
    having = Product.objects.filter(_having(changed), pk__gt=changed.after)
    ids = list(having.order_by("pk").values_list("pk", flat=True)[:NOTED_AT_ONCE])
    ChangedProduct.objects.bulk_create(
        [ChangedProduct(product_id=pk) for pk in ids], ignore_conflicts=True
    )
    if len(ids) < NOTED_AT_ONCE:
        changed.delete()
    else:
        changed.after = ids[-1]
        changed.save(update_fields=["after"])
    return True


def _having(changed: ChangedInCommon) -> Q:
    match changed.kind:
        case ChangedInCommon.Kind.CATEGORY:  # or one below it
            return Q(category__path__contains=f"/{changed.reference}/")
        case ChangedInCommon.Kind.TAG:
            return Q(tags=changed.reference)
        case ChangedInCommon.Kind.ATTRIBUTE:
            known = Attribute.objects.filter(pk=changed.reference).values_list("code", flat=True)
            return Q(type__type_attributes__attribute=changed.reference) & Q(
                attributes__has_keys=list(known)
            )
        case kind:
            return Q(**{kind: changed.reference})


@transaction.atomic
def _tell_of_products() -> bool:
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
