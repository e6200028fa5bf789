"""The engine that is always there: PostgreSQL's full text, facets and trigrams.

A text is understood in one statement (words.py); the second one finds, ranks and counts. What
makes it cheap: one index has words and facets, so filters never walk what does not fit; unknown
words are looked up among words, never among products; and of what fits, at most MOST_HITS
products are ranked and counted.
"""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.catalog.documents import (
    BANDS,
    FIRST_BAND,
    FIRST_PRICE,
    number_of_band,
    price_bounds,
)
from apps.catalog.models import SearchFacet
from apps.catalog.search.engine import (
    MOST_FACET_VALUES,
    MOST_HITS,
    Facets,
    FacetValue,
    Hits,
    PriceGroup,
    SearchQuery,
    Suggested,
    Suggestions,
)
from apps.catalog.search.words import Meaning, Understood, understand
from apps.catalog.selectors.search import POPULAR, popular
from apps.kernel.prepared import prepared

# Column and direction of each order but relevance.
ORDERS = {
    "price": ("e.price_minor", ""),
    "-price": ("e.price_minor", "DESC"),
    "name": ("e.name", ""),
    "-created_at": ("e.created_at", "DESC"),
    "rating": ("e.rating", "DESC"),
}
MOST_SUGGESTED_FROM = 200
# Whether anything is for sale there is asked of the first ones only.
NAMED = ", ".join(
    f"""ARRAY(
        SELECT json_build_array(f.reference, f.value, f.label) FROM (
            SELECT id, reference, value, label FROM catalog_searchfacet
            WHERE facet = '{facet}' AND words @@ %(query)s::tsquery
            ORDER BY length(label), label OFFSET 0
        ) f WHERE EXISTS (SELECT FROM catalog_searchentry e WHERE e.facets @> ARRAY[f.id])
        LIMIT %(limit)s
    )"""
    for facet in (SearchFacet.CATEGORY, SearchFacet.BRAND)
)
COUNTED = """
SELECT {place} AS counted_for, number, count(*) AS hits FROM (
    SELECT unnest(facets) FROM {source}
) n(number) GROUP BY number
"""

# Of products that are called the same, one is enough.
SUGGEST = f"""
WITH hits AS MATERIALIZED (
    SELECT e.product_id, e.name,
        ts_rank(e.document, %(query)s::tsquery) * e.popularity
            * CASE WHEN e.sold_out THEN 1e-6 ELSE 1 END AS rank
    FROM catalog_searchentry e WHERE e.document @@ %(query)s::tsquery LIMIT {MOST_SUGGESTED_FROM}
), named AS (
    SELECT DISTINCT ON (name) product_id, name, rank FROM hits ORDER BY name, rank DESC, product_id
)
SELECT json_build_array({NAMED}, ARRAY({POPULAR}), ARRAY(
    SELECT json_build_array(p.id, p.slug, n.name) FROM named n
    JOIN catalog_product p ON p.id = n.product_id ORDER BY n.rank DESC, n.name LIMIT %(limit)s
))::text
"""
SUGGEST_NAMES = f"SELECT json_build_array({NAMED}, ARRAY({POPULAR}))::text"


class PostgreSQL:
    """Finds products in catalog_searchentry."""

    def search(self, query: SearchQuery) -> Hits:
        """Return the page of products that fit best. Two statements."""
        meant = understand(query)
        total, product_ids, facets = 0, (), Facets()
        if meant.queries or meant.leading:
            statement = _Statement(query, meant)
            with connection.cursor() as cursor:
                cursor.execute(statement.sql, statement.values)
                total, product_ids, counts = cursor.fetchone()
            facets = _facets(orjson.loads(counts), list(statement.filters))
        return Hits(
            product_ids=tuple(product_ids),
            total=min(total, MOST_HITS),
            total_is_capped=total > MOST_HITS,
            facets=facets,
            did_you_mean=meant.did_you_mean,
            redirect=meant.redirect,
            backend="postgresql",
        )

    def suggest(self, text: str, *, limit: int) -> Suggestions:
        """Return what the beginning of a text may become. Two statements."""
        meant = understand(SearchQuery(text=text), unfinished=True)
        return Suggestions(**suggested(SUGGEST, meant, text, limit), backend="postgresql")


class _Statement:
    """The statement that finds, ranks and counts. Values of the query are its parameters only."""

    def __init__(self, query: SearchQuery, meant: Understood) -> None:
        self.query, self.meant = query, meant
        self.values: dict[str, Any] = {
            "any": _tsquery(meant.queries[-1]) if meant.queries else "",
            "leading": list(meant.leading),
            "limit": query.limit,
            "offset": query.offset,
        }
        self.rank, self.direction = ORDERS.get(query.sort, (self._score(), "DESC"))
        self.filters = dict(self._filters())
        self.sql = self._sql()

    def _sql(self) -> str:
        sources = {"hits": self._found()}
        for place, facet in enumerate(self.filters):
            sources[f"without_{place}"] = self._found(without=facet)
        tables = ", ".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in sources.items())
        counted = " UNION ALL ".join(
            COUNTED.format(place=place, source=source) for place, source in enumerate(sources, -1)
        )
        return f"""
            WITH {tables}, counted AS (
                SELECT * FROM ({counted}) c ORDER BY hits DESC, number LIMIT 500
            )
            SELECT (SELECT count(*) FROM hits), ARRAY(
                SELECT product_id FROM hits ORDER BY rank {self.direction}, product_id
                LIMIT %(limit)s OFFSET %(offset)s
            ), (
                SELECT coalesce(json_agg(json_build_array(
                    c.counted_for, c.number, f.facet, f.value, f.label, c.hits
                ) ORDER BY c.hits DESC, f.label, c.number DESC), '[]')::text
                FROM counted c LEFT JOIN LATERAL (
                    -- A few of thousands: found one by one, not by reading all of them.
                    SELECT * FROM catalog_searchfacet known WHERE known.id = c.number OFFSET 0
                ) f ON true
            )
        """

    def _filters(self) -> Iterator[tuple[str, str]]:
        """Yield each facet that is narrowed and the condition for it."""
        query = self.query
        for place, (facet, numbers) in enumerate(self.meant.facets.items()):
            self.values[f"facet_{place}"] = list(numbers)
            yield facet, f"e.facets && %(facet_{place})s::int[]"
        if query.availability:
            self.values["bands"] = [number_of_band(band) for band in query.availability]
            yield "availability", "e.facets && %(bands)s::int[]"
        if query.price_from is not None or query.price_to is not None:
            self.values |= {"price_from": query.price_from, "price_to": query.price_to}
            lowest, highest = "coalesce(%(price_from)s, 0)", "coalesce(%(price_to)s, 9e18)::bigint"
            yield "price", f"e.price_minor BETWEEN {lowest} AND {highest}"

    def _found(self, *, without: str | None = None) -> str:
        """Return SQL for one entry more than are counted: what fits the text and the filters."""
        fits = [sql for facet, sql in self.filters.items() if facet != without]
        branches = []
        if self.meant.leading:
            lead = "array_position(%(leading)s::uuid[], e.product_id)"
            rank = f"1e9 - {lead}" if self.query.sort == "relevance" else self.rank
            branches.append(self._branch(["e.product_id = ANY(%(leading)s::uuid[])", *fits], rank))
            fits.append("e.product_id <> ALL(%(leading)s::uuid[])")
        for place, meaning in enumerate(self.meant.queries):
            self.values[f"query_{place}"] = _tsquery(meaning)
            said = f"document @@ %(query_{place})s::tsquery"
            branches.append(self._branch([f"e.{said}", *fits], self.rank))
            # A looser query is tried only when nothing at all fits the stricter one.
            fits.append(f"NOT EXISTS (SELECT FROM catalog_searchentry WHERE {said})")
        return " UNION ALL ".join(branches)

    def _branch(self, conditions: list[str], rank: str) -> str:
        # What the text says has to be computed for all; a column is known beforehand.
        order = f"ORDER BY {rank} {self.direction}" if self.query.sort in ORDERS else ""
        return f"""(
            SELECT e.product_id, e.facets, {rank} AS rank FROM catalog_searchentry e
            WHERE {" AND ".join(conditions)} {order} LIMIT {MOST_HITS + 1}
        )"""

    def _score(self) -> str:
        """Return SQL for how well an entry fits: the text's rank, what buyers and staff say."""
        score = "ts_rank(e.document, %(any)s::tsquery) * e.popularity"
        for place, boost in enumerate(self.meant.boosts):
            named = "ANY(e.facets)" if boost.facet else "e.product_id"
            self.values[f"boost_{place}"] = boost.facet or boost.about
            self.values[f"weight_{place}"] = boost.weight
            score += f" * CASE WHEN %(boost_{place})s = {named} THEN %(weight_{place})s ELSE 1 END"
        # Sold out comes last, whatever else is said for it.
        return f"{score} * CASE WHEN e.sold_out THEN 1e-6 ELSE 1 END"


def _tsquery(meaning: Meaning | str) -> str:
    """Return the text of a tsquery for what is meant."""
    if isinstance(meaning, str):
        return "'" + meaning.replace("\\", "\\\\").replace("'", "''") + "'"
    operator = " & " if meaning.wants == "all" else " | "
    return "(" + operator.join(_tsquery(part) for part in meaning.parts) + ")"


def suggested(statement: str, meant: Understood, text: str, limit: int) -> dict[str, Any]:
    """Return what SUGGEST, or SUGGEST_NAMES without products, has for the text. One statement."""
    query = _tsquery(meant.queries[0]) if meant.queries else ""
    with prepared(), connection.cursor() as cursor:
        cursor.execute(statement, {"query": query, **popular(text, limit=limit)})
        categories, brands, queries, *products = orjson.loads(cursor.fetchone()[0])
    return {
        "products": _suggested(products[0] if products else []),
        "categories": _suggested(categories),
        "brands": _suggested(brands),
        "queries": tuple(queries),
    }


def _suggested(rows: list[list[str]]) -> tuple[Suggested, ...]:
    return tuple(Suggested(UUID(row_id), slug, name) for row_id, slug, name in rows)


def _facets(counts: list[list[Any]], narrowed: list[str]) -> Facets:
    """Return what was counted: a facet that is narrowed as it is without its own filter."""
    values: dict[str, list[FacetValue]] = defaultdict(list)
    prices = []
    bounds = price_bounds()
    for place, number, name, value, label, hits in counts:
        facet = name or ("price" if number <= FIRST_PRICE else "availability")
        if (narrowed.index(facet) if facet in narrowed else -1) != place:
            continue
        if facet == "price":
            group = FIRST_PRICE - number
            below = bounds[group] if group < len(bounds) else None
            prices.append(PriceGroup(bounds[group - 1] if group else 0, below, hits))
        elif facet == "availability":
            band = BANDS[FIRST_BAND - number]
            values[facet].append(FacetValue(band, band, hits))
        elif len(values[facet]) < MOST_FACET_VALUES:
            values[facet].append(FacetValue(value, label, hits))
    return Facets(
        categories=tuple(values.pop(SearchFacet.CATEGORY, ())),
        brands=tuple(values.pop(SearchFacet.BRAND, ())),
        availability=tuple(values.pop("availability", ())),
        prices=tuple(sorted(prices, key=lambda group: group.price_from)),
        attributes={
            facet.removeprefix(SearchFacet.ATTRIBUTE): tuple(found)
            for facet, found in sorted(values.items())
        },
    )
