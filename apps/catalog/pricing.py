"""Which price counts, as the SQL that reads, the price history's triggers and the copies share.

What can apply to a variant, the first that does counts:

1. prices of the lists of the customer's group,
2. prices of the lists for everybody,
3. the sale: a price without a list, with an end,
4. the regular price: the variant's own, or one without a list and an end that has begun since.

Among lists the higher priority counts, among prices of the same priority the lowest; a price for
so many pieces applies from that quantity on. A price applies from its first instant on, and at its
last instant no more; so does a list.
"""

# ruff: noqa: S608 - put together from constants

LARGEST_PRICE = 10**12
NO_LIST = "00000000-0000-0000-0000-000000000000"

WITHIN = """{row}.valid_from <= {at} AND ({row}.valid_until IS NULL OR {row}.valid_until > {at})"""

LIST_WITHIN = """l.is_active AND (l.valid_from IS NULL OR l.valid_from <= {at})
        AND (l.valid_until IS NULL OR l.valid_until > {at})"""

# One row for the row `v` of catalog_variant, or none when it has no price in that currency. A sale
# is compared with the regular price where it says nothing else.
APPLICABLE = f"""
SELECT c.amount_minor, c.compare_at_minor, c.source, c.group_list_id FROM (
    SELECT p.amount_minor, coalesce(p.compare_at_minor, CASE
            WHEN p.price_list_id IS NULL AND p.valid_until IS NOT NULL
                AND greatest(v.price_minor, v.compare_at_minor) > p.amount_minor
            THEN greatest(v.price_minor, v.compare_at_minor)
        END) AS compare_at_minor,
        CASE WHEN l.customer_group_id IS NOT NULL THEN 1 WHEN l.id IS NOT NULL THEN 2
            WHEN p.valid_until IS NOT NULL THEN 3 ELSE 4 END AS place,
        l.priority,
        CASE WHEN l.id IS NULL AND p.valid_until IS NULL THEN p.valid_from END AS since,
        CASE WHEN l.id IS NOT NULL THEN 'list:' || l.code
            WHEN p.valid_until IS NOT NULL THEN 'sale' ELSE 'regular' END AS source,
        CASE WHEN l.customer_group_id IS NOT NULL THEN l.id END AS group_list_id
    FROM catalog_price p LEFT JOIN catalog_pricelist l ON l.id = p.price_list_id
    WHERE p.variant_id = v.id AND p.min_quantity <= {{quantity}}
        AND {WITHIN.format(row="p", at="{at}")}
        AND CASE WHEN l.id IS NULL THEN v.currency = {{currency}} ELSE l.currency = {{currency}}
            AND (l.customer_group_id IS NULL OR l.customer_group_id = {{group}})
            AND {LIST_WITHIN.format(at="{at}")} END
    UNION ALL
    SELECT v.price_minor, v.compare_at_minor, 4, NULL, NULL, 'regular', NULL
    WHERE v.currency = {{currency}} AND v.price_minor IS NOT NULL
) c
ORDER BY c.place, c.priority DESC NULLS LAST, c.since DESC NULLS LAST, c.amount_minor LIMIT 1
"""


def applicable(
    *, at: str, currency: str = "v.currency", group: str = "NULL::uuid", quantity: str = "1"
) -> str:
    """Return the SELECT of the price of `v` that counts; the arguments are SQL."""
    return APPLICABLE.format(at=at, currency=currency, group=group, quantity=quantity)


# The lowest price of the 30 days before the reduction `r` of `v`, as the history has kept it.
LOWEST = """
CASE WHEN r.compare_at_minor IS NOT NULL THEN (
    SELECT h.lowest_minor FROM catalog_pricechange h
    WHERE h.variant_id = v.id AND h.currency = {currency} AND h.min_quantity = 1
        AND h.price_list_id IS NOT DISTINCT FROM r.group_list_id
    ORDER BY h.at DESC, h.id DESC LIMIT 1
) END
"""

NOTED = [("seen_at", "timestamptz := statement_timestamp()"), ("noted_at", "timestamptz := now()")]

# Writes what has changed of the prices of {variants} since they were noted last: what everybody
# pays for one piece, by currency, and what each list asks. `seen_at` is the moment at which they
# are looked at, `noted_at` the one that is written down. The directive (98/6/EC, article 6a) counts
# from the reduction 30 days back; what a transaction has set and changed again was nobody's price.
NOTE = f"""
INSERT INTO catalog_pricechange (variant_id, price_list_id, min_quantity, currency, amount_minor,
    compare_at_minor, lowest_minor, at)
SELECT s.variant_id, s.price_list_id, s.min_quantity, s.currency, s.amount_minor,
    s.compare_at_minor, CASE WHEN s.compare_at_minor IS NOT NULL THEN (
        SELECT min(h.amount_minor) FROM (
            SELECT h.amount_minor, h.at, lead(h.at, 1, s.at) OVER (ORDER BY h.at, h.id) AS until
            FROM catalog_pricechange h
            WHERE h.variant_id = s.variant_id AND h.currency = s.currency
                AND h.min_quantity = s.min_quantity
                AND h.price_list_id IS NOT DISTINCT FROM s.price_list_id
        ) h
        WHERE h.until > h.at AND h.until > s.at - interval '720 hours'
    ) END, s.at
FROM (
    SELECT coalesce(n.variant_id, o.variant_id) AS variant_id,
        coalesce(n.price_list_id, o.price_list_id) AS price_list_id,
        coalesce(n.min_quantity, o.min_quantity) AS min_quantity,
        coalesce(n.currency, o.currency) AS currency,
        n.amount_minor, n.compare_at_minor, greatest(noted_at, o.at) AS at
    FROM (
        SELECT v.id AS variant_id, NULL::uuid AS price_list_id, 1 AS min_quantity, k.currency,
            r.amount_minor, r.compare_at_minor
        FROM catalog_variant v JOIN catalog_product d ON d.id = v.product_id
        CROSS JOIN LATERAL (
            SELECT v.currency UNION
            SELECT l.currency FROM catalog_price p
            JOIN catalog_pricelist l ON l.id = p.price_list_id
            WHERE p.variant_id = v.id AND l.customer_group_id IS NULL
        ) k
        CROSS JOIN LATERAL ({applicable(at="seen_at", currency="k.currency")}) r
        WHERE v.id IN ({{variants}}) AND v.is_active AND d.status = 'published'
        UNION ALL
        SELECT p.variant_id, p.price_list_id, p.min_quantity, l.currency, p.amount_minor,
            p.compare_at_minor
        FROM catalog_price p JOIN catalog_pricelist l ON l.id = p.price_list_id
        JOIN catalog_variant v ON v.id = p.variant_id
        JOIN catalog_product d ON d.id = v.product_id
        WHERE p.variant_id IN ({{variants}}) AND v.is_active AND d.status = 'published'
            AND {WITHIN.format(row="p", at="seen_at")} AND {LIST_WITHIN.format(at="seen_at")}
    ) n
    FULL JOIN (
        SELECT DISTINCT ON (h.variant_id, h.price_list_id, h.min_quantity, h.currency) h.*
        FROM catalog_pricechange h WHERE h.variant_id IN ({{variants}})
        ORDER BY h.variant_id, h.price_list_id, h.min_quantity, h.currency, h.at DESC, h.id DESC
    ) o ON o.variant_id = n.variant_id AND o.min_quantity = n.min_quantity
        AND o.currency = n.currency
        AND coalesce(o.price_list_id, '{NO_LIST}') = coalesce(n.price_list_id, '{NO_LIST}')
    WHERE (n.amount_minor, n.compare_at_minor)
        IS DISTINCT FROM (o.amount_minor, o.compare_at_minor)
) s;
RETURN NULL;
"""


def noting(variants: str) -> str:
    """Return the body of a trigger that notes the prices of these variants; an SQL list of ids."""
    return NOTE.format(variants=variants)


# The same for new rows `fresh` of catalog_variant, which have no other price and no history yet.
FIRST_NOTE = """
INSERT INTO catalog_pricechange (variant_id, min_quantity, currency, amount_minor,
    compare_at_minor, at)
SELECT v.id, 1, v.currency, v.price_minor, v.compare_at_minor, now()
FROM fresh v JOIN catalog_product d ON d.id = v.product_id
WHERE v.is_active AND v.price_minor IS NOT NULL AND d.status = 'published'
ORDER BY v.id;
RETURN NULL;
"""
