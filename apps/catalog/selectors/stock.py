"""Reads of stock: how available a variant is, and what lies where."""

# ruff: noqa: S608, S611 - the SQL is put together from constants; values are parameters

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

from apps.catalog.models import Product
from apps.catalog.states import AVAILABLE, AVAILABLE_ON, FREE, ORDERABLE

# All of a variant `v`: how available it is, and its balance at every location.
VARIANT = f"""json_build_object(
    'id', v.id, 'sku', v.sku, 'best', {AVAILABLE}, 'orderable', {ORDERABLE},
    'available_on', {AVAILABLE_ON},
    'stock', coalesce((
        SELECT json_agg(json_build_object(
            'code', l.code, 'name', l.name, 'on_hand', s.on_hand,
            'reserved', s.on_hand - s.allocated - {FREE}, 'allocated', s.allocated,
            'available', {FREE}, 'policy', s.policy, 'backorder_limit', s.backorder_limit,
            'is_active', l.is_active
        ) ORDER BY l.priority, l.code)
        FROM catalog_stock s JOIN catalog_stocklocation l ON l.id = s.location_id
        WHERE s.variant_id = v.id
    ), '[]')
)"""

STOCK = f"""coalesce((
    SELECT json_agg({VARIANT} ORDER BY v.position, v.id)
    FROM catalog_variant v WHERE v.product_id = catalog_product.id AND v.is_active
), '[]')"""

ASKED_FOR = f"""
SELECT v.product_id, {VARIANT}
FROM unnest(%(asked)s::{{kind}}[]) WITH ORDINALITY AS asked(what, place)
JOIN catalog_variant v ON {{same}}
JOIN catalog_product p ON p.id = v.product_id
WHERE v.is_active AND (p.status = 'published' OR NOT %(published_only)s)
ORDER BY asked.place
"""
BY_SKU = ASKED_FOR.format(kind="text", same="upper(v.sku) = upper(asked.what)")
BY_ID = ASKED_FOR.format(kind="uuid", same="v.id = asked.what")

# Who sells no more ahead still owes what was sold; that is no limit any more.
POLICY = """
SELECT json_build_object(
    'variant_id', v.id, 'sku', v.sku, 'policy', coalesce(s.policy, 'deny'),
    'limit', CASE WHEN s.policy <> 'deny' THEN s.backorder_limit ELSE 0 END,
    'available_on', s.available_on, 'is_hot', coalesce(s.is_hot, false)
)
FROM catalog_variant v
LEFT JOIN (catalog_stock s JOIN catalog_stocklocation l ON l.id = s.location_id AND l.code = 'main')
    ON s.variant_id = v.id
WHERE v.id = %s
"""

# Conditions on `best`, which is the highest AVAILABLE of a product's variants.
BANDS = {
    "in_stock": lambda: Q(best__gt=settings.LOW_STOCK_THRESHOLD),
    "low_stock": lambda: Q(best__gt=0, best__lte=settings.LOW_STOCK_THRESHOLD),
    "preorder": lambda: Q(best=0),
    "out_of_stock": lambda: Q(best__lt=0),
}


def stock_row(*, product_id: UUID, published_only: bool) -> dict[str, Any] | None:
    """Return a product's variants, each with its balance at every location. One statement."""
    products = Product.objects.filter(pk=product_id)
    if published_only:
        products = products.filter(status=Product.Status.PUBLISHED)
    row = products.values("id", kept=RawSQL(STOCK, [])).first()
    return dict(row) if row else None


def stock_of(
    *, skus: Iterable[str] = (), variant_ids: Iterable[UUID] = (), published_only: bool
) -> list[tuple[UUID, dict[str, Any]]]:
    """Return variants by SKU or by id, each with its product's id, in the order asked for.

    What is unknown or not sold is left out. One statement.
    """
    wanted_skus = list(dict.fromkeys(sku for sku in skus if "\0" not in sku))
    wanted_ids = list(dict.fromkeys(variant_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            BY_ID if wanted_ids else BY_SKU,
            {"asked": wanted_ids or wanted_skus, "published_only": published_only},
        )
        return cursor.fetchall()


def policy_of(*, variant_id: UUID) -> dict[str, Any] | None:
    """Return how a variant is sold, as its balance at the main location says. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(POLICY, [variant_id])
        row = cursor.fetchone()
    return dict(row[0]) if row else None


def can_ship(*, order_id: UUID) -> bool:
    """Tell whether all that a paid order waits for is there. One statement.

    Who has paid first has what comes first: pieces that earlier orders wait for are not there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT bool_and(s.on_hand >= r.quantity + coalesce((
                SELECT sum(e.quantity) FROM catalog_reservation e
                WHERE e.stock_id = r.stock_id AND e.state = 'allocated'
                    AND (e.allocated_at, e.id) < (r.allocated_at, r.id)
            ), 0))
            FROM catalog_reservation r JOIN catalog_stock s ON s.id = r.stock_id
            WHERE r.order_id = %s AND r.state = 'allocated'
            """,
            [order_id],
        )
        return cursor.fetchone() != (False,)


def held_units(*, order_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many pieces the orders hold, by order; an order that holds none is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT order_id, sum(quantity)::bigint FROM catalog_reservation
            WHERE order_id = ANY(%s::uuid[]) AND state IN ('active', 'allocated')
            GROUP BY order_id
            """,
            [list(order_ids)],
        )
        return dict(cursor.fetchall())


def returned_units(*, order_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many pieces came back to the stock, by order; none: the order is left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT order_id, sum(returned)::bigint FROM catalog_reservation
            WHERE order_id = ANY(%s::uuid[]) AND returned > 0
            GROUP BY order_id
            """,
            [list(order_ids)],
        )
        return dict(cursor.fetchall())
