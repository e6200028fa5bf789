"""Everything that writes PostgreSQL's search index: entries, facets and words of products.

Whoever writes a product also puts it into the queue for the search cluster, where there is one.
"""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.catalog.documents import (
    DOCUMENTS,
    FIRST_BAND,
    FIRST_PRICE,
    NARROWED,
    parameters,
    plain,
    shortened,
    stem,
)
from apps.catalog.models import Product, SearchEntry
from apps.catalog.models.ratings import PRIOR_STARS
from apps.catalog.services.indexing import queue

BATCH = 1_000
MANY = 100
SHORTEST_WORD, LONGEST_WORD = 2, 40

# What a document is read from is locked first: the next statement then sees its latest state.
LOCK = """
SELECT FROM catalog_product WHERE id = ANY(%(products)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""

# What documents are narrowed by, without reading whole documents.
FACETS = f"""
WITH listed AS MATERIALIZED (
    SELECT id, brand_id, category_id, attributes FROM catalog_product
    WHERE status = 'published' AND id = ANY(%(products)s::uuid[])
), named AS (
    SELECT 'category' AS facet, c.id::text AS reference, c.slug AS value, c.name AS label
    FROM catalog_category c WHERE c.id IN (
        SELECT unnest(string_to_array(trim(BOTH '/' FROM own.path), '/')::uuid[])
        FROM catalog_category own WHERE own.id IN (SELECT category_id FROM listed)
    )
    UNION ALL SELECT 'brand', b.id::text, b.slug, b.name
    FROM catalog_brand b WHERE b.id IN (SELECT brand_id FROM listed)
    UNION ALL SELECT DISTINCT 'attribute:' || n.code, n.value, n.value, n.label
    FROM listed p CROSS JOIN LATERAL ({NARROWED}) n WHERE length(n.code) <= 60
)
INSERT INTO catalog_searchfacet (facet, reference, value, label, words)
SELECT facet, reference, value, label, to_tsvector('english', {plain("label")}) FROM (
    -- An option of one product and a choice of another one may be the same value.
    SELECT DISTINCT ON (facet, reference) * FROM named
    ORDER BY facet, reference, label = value, label
) named
WHERE NOT EXISTS (
    SELECT FROM catalog_searchfacet k
    WHERE (k.facet, k.reference, k.value, k.label)
        = (named.facet, named.reference, named.value, named.label)
)
ORDER BY facet, reference
ON CONFLICT (facet, reference) DO UPDATE SET
    value = excluded.value, label = excluded.label, words = excluded.words
"""


ENTRIES = f"""
WITH documents AS MATERIALIZED ({DOCUMENTS}), plain AS MATERIALIZED (
    SELECT d.*, {plain("d.name")} AS plain_name,
        {plain("coalesce(d.brand_name, '')")} AS plain_brand,
        {plain("array_to_string(d.category_names, ' ')")} AS plain_categories,
        {plain("concat_ws(' ', d.told, d.description)")} AS plain_description,
        {plain("array_to_string(d.options, ' ')")} AS plain_options
    FROM documents d
), dropped AS (
    DELETE FROM catalog_searchentry e
    WHERE e.product_id = ANY(%(products)s::uuid[])
        AND NOT EXISTS (SELECT FROM documents d WHERE d.product_id = e.product_id)
), words AS (
    INSERT INTO catalog_searchword (word, stem, shortened)
    SELECT word, stem, {shortened("word")}
    FROM (
        SELECT DISTINCT ON (word) word, {stem("word")} AS stem
        FROM (
            SELECT DISTINCT string_to_table(concat_ws(' ', plain_name, plain_brand,
                plain_options, plain_categories, plain_description), ' ') AS word
            FROM plain
        ) w
        WHERE length(word) BETWEEN {SHORTEST_WORD} AND {LONGEST_WORD} AND word ~ '[^0-9.]'
            AND NOT EXISTS (SELECT FROM catalog_searchword k WHERE k.word = w.word COLLATE "C")
    ) fresh
    WHERE stem IS NOT NULL
    ORDER BY word COLLATE "C"
    ON CONFLICT DO NOTHING
)
INSERT INTO catalog_searchentry AS e (product_id, version, name, document, facets, sold_out,
    price_minor, rating, popularity, created_at)
SELECT product_id, nextval('catalog_search_version'), name,
    setweight(to_tsvector('english', plain_name), 'A')
        || setweight(to_tsvector('english', plain_brand || ' ' || plain_options), 'B')
        || setweight(to_tsvector('english', plain_categories), 'C')
        || setweight(to_tsvector('english', left(plain_description, 10000)), 'D'),
    ARRAY(
        SELECT f.id FROM (
            SELECT 'category' AS facet, c::text AS reference FROM unnest(category_ids) c
            UNION ALL SELECT 'brand', brand_id::text
            UNION ALL SELECT 'attribute:' || a.key, v.key
            FROM jsonb_each(attributes) a, jsonb_each_text(a.value) v
        ) own JOIN catalog_searchfacet f USING (facet, reference) ORDER BY f.id
    ) || ARRAY[
        {FIRST_BAND} + 1 - array_position(%(bands)s, availability),
        {FIRST_PRICE} - width_bucket(price_minor, %(bounds)s)
    ],
    availability = 'out_of_stock',
    price_minor, rating_score,
    -- At most a sixth more or a third less than a product that nobody has rated.
    1 + (rating_score - {PRIOR_STARS}) / 10,
    created_at
FROM plain ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE SET
    -- Asked for while the row is locked, so that a later version is never a lower one.
    version = nextval('catalog_search_version'), name = excluded.name,
    document = excluded.document, facets = excluded.facets, sold_out = excluded.sold_out,
    price_minor = excluded.price_minor, rating = excluded.rating,
    popularity = excluded.popularity, created_at = excluded.created_at
"""

# What has been added to the index is a list until then.
PUT_IN_ORDER = "SELECT gin_clean_pending_list('search_entry_by_word')"

# Whoever adds a product meanwhile finds its words gone at worst until the next count.
COUNT_WORDS = """
WITH used AS MATERIALIZED (
    SELECT word AS stem, ndoc FROM ts_stat('SELECT document FROM catalog_searchentry')
), unused AS (
    DELETE FROM catalog_searchword w WHERE NOT EXISTS (SELECT FROM used u WHERE u.stem = w.stem)
)
UPDATE catalog_searchword w SET products = u.ndoc
FROM used u WHERE u.stem = w.stem AND w.products <> u.ndoc
"""


@transaction.atomic
def refresh(*, product_ids: Collection[UUID]) -> None:
    """Let the search know these products as they are now; unpublished ones leave it.

    Belongs into the transaction of the change, after it. Locks the products, so it waits for
    whoever is changing them, and what is written is never older than what was. The search cluster
    is told after the commit, by whoever works its queue off.
    """
    _write(product_ids)
    if settings.ELASTICSEARCH_URL:
        queue.enqueue(product_ids)


def _write(product_ids: Collection[UUID]) -> None:
    values = parameters(product_ids)
    with connection.cursor() as cursor:
        cursor.execute(LOCK, values)
        cursor.execute(FACETS, values)
        cursor.execute(ENTRIES, values)
        if len(product_ids) >= MANY:
            cursor.execute(PUT_IN_ORDER)


def rebuild() -> int:
    """Write PostgreSQL's entries of all products anew, in batches, and count words.

    Can be interrupted and repeated; searches go on meanwhile. Returns the number of entries.
    """
    last = UUID(int=0)
    while ids := list(
        Product.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        with transaction.atomic():
            _write(ids)
        last = ids[-1]
    count_words()
    return SearchEntry.objects.count()


@transaction.atomic
def count_words() -> None:
    """Count how many products use each word, and forget words that none uses any more."""
    with connection.cursor() as cursor:
        cursor.execute(PUT_IN_ORDER)
        cursor.execute(COUNT_WORDS)
