"""What a search engine knows of a product: one document, read in one statement."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from apps.catalog.states import AVAILABLE
from apps.kernel.money import EXPONENTS

BANDS = ("in_stock", "low_stock", "preorder", "out_of_stock")
# Where one group of prices ends and the next begins, in whole units of the store's currency.
PRICE_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
# Facets that are no rows have numbers, too: bands from -1 down, groups of prices from -10 down.
FIRST_BAND, FIRST_PRICE = -1, -10

LONGEST_VALUE = 200

# The values of the attributes that a product has of its type, each one by itself.
TOLD = """
SELECT a.code, a.is_filterable, a.kind, said.value, coalesce(c.name, said.value) AS label
FROM jsonb_each(p.attributes) AS own(code, value)
JOIN catalog_attribute a ON a.code = own.code
CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(own.value) WHEN 'array' THEN own.value ELSE jsonb_build_array(own.value) END
) AS said(value)
LEFT JOIN catalog_attributechoice c ON c.attribute_id = a.id AND c.code = said.value
"""

# What a product is narrowed by: the options of its variants, and what is told of it.
NARROWED = f"""
SELECT code, value, label FROM (
    SELECT o.key AS code, o.value, o.value AS label
    FROM catalog_variant v CROSS JOIN jsonb_each_text(v.options) o
    WHERE v.product_id = p.id AND v.is_active
    UNION ALL SELECT code, value, label FROM ({TOLD}) t WHERE is_filterable
) each WHERE length(value) <= {LONGEST_VALUE}
"""

# Published products, with the categories from the root down.
DOCUMENTS = f"""
SELECT p.id AS product_id, p.slug, p.name, p.description,
    b.id AS brand_id, b.slug AS brand_slug, b.name AS brand_name,
    above.ids AS category_ids, above.slugs AS category_slugs, above.names AS category_names,
    coalesce(sold.skus, '{{}}') AS skus,
    coalesce(sold.options, '{{}}') AS options,
    coalesce(narrowed.attributes, '{{}}') AS attributes,
    told.words AS told,
    p.price_from_minor AS price_minor, p.currency,
    CASE
        WHEN sold.available > %(low_stock)s THEN 'in_stock'
        WHEN sold.available > 0 THEN 'low_stock'
        WHEN sold.available = 0 THEN 'preorder'
        ELSE 'out_of_stock'
    END AS availability,
    p.rating_average, p.rating_count, p.rating_score, p.created_at
FROM catalog_product p
LEFT JOIN catalog_brand b ON b.id = p.brand_id
JOIN (
    SELECT own.id, array_agg(c.id ORDER BY c.path) AS ids,
        array_agg(c.slug ORDER BY c.path) AS slugs, array_agg(c.name ORDER BY c.path) AS names
    FROM catalog_category own
    CROSS JOIN unnest(string_to_array(trim(BOTH '/' FROM own.path), '/')::uuid[]) AS step(id)
    JOIN catalog_category c ON c.id = step.id
    WHERE own.id IN (SELECT category_id FROM catalog_product WHERE id = ANY(%(products)s::uuid[]))
    GROUP BY own.id
) above ON above.id = p.category_id
LEFT JOIN LATERAL (
    SELECT array_agg(v.sku::text ORDER BY v.position, v.id) AS skus,
        max({AVAILABLE}) AS available,
        (
            SELECT array_agg(DISTINCT o.value)
            FROM catalog_variant w CROSS JOIN jsonb_each_text(w.options) o
            WHERE w.product_id = p.id AND w.is_active
        ) AS options
    FROM catalog_variant v WHERE v.product_id = p.id AND v.is_active
) sold ON true
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(code, labels) AS attributes FROM (
        SELECT code, jsonb_object_agg(value, label ORDER BY label <> value) AS labels
        FROM ({NARROWED}) n GROUP BY code
    ) grouped
) narrowed ON true
CROSS JOIN LATERAL (
    SELECT concat_ws(' ',
        (SELECT t.name FROM catalog_producttype t WHERE t.id = p.type_id),
        (
            SELECT string_agg(label, ' ' ORDER BY code, label) FROM ({TOLD}) t
            WHERE kind IN ('text', 'choice', 'multi_choice')
        ),
        (
            SELECT string_agg(g.name, ' ' ORDER BY g.name) FROM catalog_product_tags pt
            JOIN catalog_tag g ON g.id = pt.tag_id WHERE pt.product_id = p.id
        )
    ) AS words
) told
WHERE p.status = 'published' AND p.id = ANY(%(products)s::uuid[])
"""


def plain(text: str) -> str:
    """Return SQL for a text as the search reads it: no accents, no capitals, words only.

    A point stays inside a number; whatever else is no letter or digit of ASCII parts words.
    """
    return rf"""regexp_replace(
        replace(unaccent(lower({text})), '''', ''),
        '(?<![0-9])\.|\.(?![0-9])|[\x01-\x2d/:-@\[-`{{-\x7f\s]+', ' ', 'g')"""


def stem(word: str) -> str:
    """Return SQL for what a word has in common with its other forms; NULL for one like "the"."""
    return f"(tsvector_to_array(to_tsvector('english', {word})))[1]"


def shortened(word: str) -> str:
    """Return SQL for the word less each one of its letters: what a typo would leave of it."""
    return f"""ARRAY(
        SELECT left({word}, n - 1) || substr({word}, n + 1)
        FROM generate_series(1, length({word})) n
    )"""


OF_ENTRIES = f"""
SELECT d.*, e.version FROM ({DOCUMENTS}) d
JOIN catalog_searchentry e ON e.product_id = d.product_id
"""


@dataclass(frozen=True, slots=True)
class ProductDocument:
    """A published product as a search engine keeps it.

    `version` grows with each change of the document, over all products: what has a lower one is
    older. The price is the lowest one, in minor units. `options` are what variants differ by, and
    `attributes` what products are narrowed by: labels by value by code, options among them. `told`
    is what else is said: the type, the texts and choices of its attributes, tags. Products are
    sorted by `rating_score`.
    """

    product_id: UUID
    slug: str
    name: str
    description: str
    brand_id: UUID | None
    brand_slug: str | None
    brand_name: str | None
    category_ids: list[UUID]
    category_slugs: list[str]
    category_names: list[str]
    skus: list[str]
    options: list[str]
    attributes: Mapping[str, Mapping[str, str]]
    told: str
    price_minor: int
    currency: str
    availability: str
    rating_average: Decimal
    rating_count: int
    rating_score: float
    created_at: datetime
    version: int


def documents_of(product_ids: Collection[UUID]) -> list[ProductDocument]:
    """Return what a search engine should know of these products; unpublished ones are left out."""
    with connection.cursor() as cursor:
        cursor.execute(OF_ENTRIES, parameters(product_ids))
        columns = [column.name for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return [
        ProductDocument(**row | {"attributes": orjson.loads(row["attributes"])}) for row in rows
    ]


def parameters(product_ids: Collection[UUID]) -> dict[str, Any]:
    """Return what the parameters of DOCUMENTS stand for."""
    return {
        "products": f"{{{','.join(map(str, product_ids))}}}",  # quicker than a list of them
        "low_stock": settings.LOW_STOCK_THRESHOLD,
        "bands": list(BANDS),
        "bounds": list(price_bounds()),
    }


def number_of_band(band: str) -> int:
    """Return the number that entries know a band of availability by."""
    return FIRST_BAND - BANDS.index(band)


def price_bounds() -> tuple[int, ...]:
    """Return where groups of prices meet, in minor units."""
    exponent = EXPONENTS.get(settings.STORE_CURRENCY, 2)
    return tuple(step * 10**exponent for step in PRICE_STEPS)
