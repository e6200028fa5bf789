"""Products as files hold them: column by column, one statement for any number of products."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.catalog.columns.table import OF_PRODUCTS, OF_VARIANTS
from apps.catalog.states import CEILING

PATHS = """
SELECT k.id, ARRAY(
    SELECT a.name FROM catalog_category a
    WHERE a.id = ANY(string_to_array(trim(both '/' from k.path), '/')::uuid[])
    ORDER BY length(a.path)
) AS names
FROM catalog_category k WHERE k.id IN (SELECT category_id FROM wanted)
"""

# What a count may not fall below. The pieces of a hot balance are counted by the ledger itself.
PROMISED = f"""CASE WHEN s.is_hot THEN 0
    ELSE coalesce(least(s.on_hand, greatest(s.reserved + s.allocated - {CEILING}, 0)), 0) END"""

VARIANTS = f"""coalesce((
    SELECT json_agg(json_build_array(
        v.id, {PROMISED}, {", ".join(column.reads for column in OF_VARIANTS)}
    ) ORDER BY v.position, v.id)
    FROM catalog_variant v
    LEFT JOIN catalog_stock s ON s.variant_id = v.id AND s.location_id = (
        SELECT id FROM catalog_stocklocation WHERE code = 'main'
    )
    WHERE v.product_id = p.id
), '[]')::text"""

RECORDS = f"""
WITH wanted AS MATERIALIZED (SELECT * FROM catalog_product WHERE {{condition}}),
    c AS MATERIALIZED ({PATHS})
SELECT p.id, p.version, p.brand_id, p.category_id, p.published_at, {VARIANTS},
    {", ".join(column.reads for column in OF_PRODUCTS)}
FROM wanted p
LEFT JOIN catalog_brand b ON b.id = p.brand_id
LEFT JOIN catalog_producttype t ON t.id = p.type_id
LEFT JOIN c ON c.id = p.category_id
ORDER BY p.id
"""

AFTER = RECORDS.format(condition="id > %(after)s ORDER BY id LIMIT %(limit)s")

NAMED = RECORDS.format(
    condition="""id IN (
    SELECT id FROM catalog_product WHERE id = ANY(%(ids)s::uuid[])
    UNION ALL SELECT id FROM catalog_product
        WHERE external_ref = ANY(%(refs)s) AND NOT external_ref = ''
    UNION ALL SELECT id FROM catalog_product WHERE slug = ANY(%(slugs)s)
    UNION ALL SELECT product_id FROM catalog_variant WHERE upper(sku) = ANY(%(skus)s)
)"""
)

FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class PresentVariant:
    """A variant: its values by column, and how much of it is promised to orders."""

    id: UUID
    promised: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PresentProduct:
    """A product: its values by column, and the ids and dates behind them."""

    id: UUID
    version: int
    brand_id: UUID | None
    category_id: UUID | None
    published_at: datetime | None
    variants: list[PresentVariant]
    values: dict[str, Any]


def records_named(
    *, ids: Sequence[str], refs: Sequence[str], slugs: Sequence[str], skus: Sequence[str]
) -> list[PresentProduct]:
    """Return the products with one of these ids, references, slugs or SKUs (in capitals)."""
    return list(_records(NAMED, {"ids": ids, "refs": refs, "slugs": slugs, "skus": skus}))


def records_after(*, after: UUID = FIRST, limit: int) -> list[PresentProduct]:
    """Return the products that follow the id, in the order of their ids."""
    return list(_records(AFTER, {"after": after, "limit": limit}))


def _records(statement: str, parameters: dict[str, Any]) -> Iterator[PresentProduct]:
    of_products = [column.name for column in OF_PRODUCTS]
    of_variants = [column.name for column in OF_VARIANTS]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for product_id, version, brand_id, category_id, published_at, variants, *kept in cursor:
            values = dict(zip(of_products, kept, strict=True))
            values["attributes"] = orjson.loads(values["attributes"])
            yield PresentProduct(
                product_id,
                version,
                brand_id,
                category_id,
                published_at,
                [
                    PresentVariant(UUID(pk), promised, dict(zip(of_variants, cells, strict=True)))
                    for pk, promised, *cells in orjson.loads(variants)
                ],
                values,
            )
