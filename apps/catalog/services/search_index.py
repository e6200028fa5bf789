"""Everything that writes PostgreSQL's search index: entries, facets and words of products."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.documents import DOCUMENTS, parameters

BATCH = 1_000
SHORTEST_WORD, LONGEST_WORD = 2, 40

# What a document is read from is locked first: the next statement then sees its latest state.
LOCK = """
SELECT FROM catalog_product WHERE id = ANY(%(products)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""

FACETS = f"""
WITH documents AS MATERIALIZED ({DOCUMENTS}), named AS (
    SELECT DISTINCT 'category' AS facet, c.id::text AS reference, c.slug AS value, c.name AS label
    FROM documents, unnest(category_ids, category_slugs, category_names) AS c(id, slug, name)
    UNION SELECT 'brand', brand_id::text, brand_slug, brand_name
    FROM documents WHERE brand_id IS NOT NULL
    UNION SELECT 'attribute:' || a.key, v.value, v.value, v.value
    FROM documents, jsonb_each(attributes) a, jsonb_array_elements_text(a.value) v
    WHERE length(a.key) <= 60 AND length(v.value) <= 200
)
INSERT INTO catalog_searchfacet (facet, reference, value, label)
SELECT facet, reference, value, label FROM named
WHERE NOT EXISTS (
    SELECT FROM catalog_searchfacet k
    WHERE (k.facet, k.reference, k.value, k.label)
        = (named.facet, named.reference, named.value, named.label)
)
ORDER BY facet, reference
ON CONFLICT (facet, reference) DO UPDATE SET value = excluded.value, label = excluded.label
"""


def plain(text: str) -> str:
    """Return SQL for the text as the search reads it: no accents, no capitals, words only.

    A point stays inside a number; whatever else is no letter or digit of ASCII parts words.
    """
    return rf"""regexp_replace(
        replace(unaccent(lower({text})), '''', ''),
        '(?<![0-9])\.|\.(?![0-9])|[\x01-\x2d/:-@\[-`{{-\x7f]+', ' ', 'g')"""


ENTRIES = f"""
WITH documents AS MATERIALIZED ({DOCUMENTS}), plain AS MATERIALIZED (
    SELECT d.*, {plain("d.name")} AS plain_name,
        {plain("coalesce(d.brand_name, '')")} AS plain_brand,
        {plain("array_to_string(d.category_names, ' ')")} AS plain_categories,
        {plain("d.description")} AS plain_description,
        (
            SELECT coalesce(string_agg({plain("v.value")}, ' '), '')
            FROM jsonb_each(d.attributes) a, jsonb_array_elements_text(a.value) v
        ) AS plain_attributes
    FROM documents d
), dropped AS (
    DELETE FROM catalog_searchentry e
    WHERE e.product_id = ANY(%(products)s::uuid[])
        AND NOT EXISTS (SELECT FROM documents d WHERE d.product_id = e.product_id)
), words AS (
    INSERT INTO catalog_searchword (word, stem, shortened)
    SELECT word, stem, ARRAY(
        SELECT left(word, n - 1) || substr(word, n + 1) FROM generate_series(1, length(word)) n
    )
    FROM (
        SELECT DISTINCT ON (word) word, (tsvector_to_array(to_tsvector('english', word)))[1] AS stem
        FROM (
            SELECT DISTINCT regexp_split_to_table(concat_ws(' ', plain_name, plain_brand,
                plain_attributes, plain_categories, plain_description), '\\s+') AS word
            FROM plain
        ) w
        WHERE length(word) BETWEEN {SHORTEST_WORD} AND {LONGEST_WORD} AND word ~ '[^0-9.]'
            AND NOT EXISTS (SELECT FROM catalog_searchword k WHERE k.word = w.word COLLATE "C")
    ) fresh
    WHERE stem IS NOT NULL
    ORDER BY word COLLATE "C"
    ON CONFLICT DO NOTHING
)
INSERT INTO catalog_searchentry AS e (product_id, version, name, document, facets, band,
    price_minor, rating, popularity, created_at)
SELECT product_id, nextval('catalog_search_version'), name,
    setweight(to_tsvector('english', plain_name), 'A')
        || setweight(to_tsvector('english', plain_brand || ' ' || plain_attributes), 'B')
        || setweight(to_tsvector('english', plain_categories), 'C')
        || setweight(to_tsvector('english', left(plain_description, 10000)), 'D'),
    ARRAY(
        SELECT f.id FROM (
            SELECT 'category' AS facet, c::text AS reference FROM unnest(category_ids) c
            UNION ALL SELECT 'brand', brand_id::text
            UNION ALL SELECT 'attribute:' || a.key, v.value
            FROM jsonb_each(attributes) a, jsonb_array_elements_text(a.value) v
        ) own JOIN catalog_searchfacet f USING (facet, reference) ORDER BY f.id
    ),
    CASE availability
        WHEN 'in_stock' THEN 0 WHEN 'low_stock' THEN 1 WHEN 'preorder' THEN 2 ELSE 3
    END,
    price_minor, rating_average,
    -- Ten ratings count as much as the text; stars below three push a product down.
    1 + (rating_average - 3) / 10 * rating_count / (rating_count + 10.0),
    created_at
FROM plain ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE SET
    -- Asked for while the row is locked, so that a later version is never a lower one.
    version = nextval('catalog_search_version'), name = excluded.name,
    document = excluded.document, facets = excluded.facets, band = excluded.band,
    price_minor = excluded.price_minor, rating = excluded.rating,
    popularity = excluded.popularity, created_at = excluded.created_at
"""


@transaction.atomic
def refresh(*, product_ids: Collection[UUID]) -> None:
    """Let the search know these products as they are now; unpublished ones leave it.

    Belongs into the transaction of the change, after it. Locks the products, so it waits for
    whoever is changing them, and what is written is never older than what was.
    """
    values = parameters(product_ids)
    with connection.cursor() as cursor:
        cursor.execute(LOCK, values)
        cursor.execute(FACETS, values)
        cursor.execute(ENTRIES, values)
