"""Elasticsearch as the search engine: it finds, ranks and counts.

What a text means is asked of PostgreSQL (words.py), one statement: one vocabulary puts typos right
for both engines, and both obey the same synonyms, boosts and redirects of staff.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.catalog.documents import price_bounds
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
from apps.catalog.search.index import BETWEEN, alias, client
from apps.catalog.search.postgresql import SUGGEST_NAMES, suggested
from apps.catalog.search.words import Meaning, Understood, understand

PUBLISHED = {"term": {"is_published": True}}
SOLD_OUT = {"term": {"availability": "out_of_stock"}}
NOTHING: dict[str, Any] = {"match_none": {}}
# What a word counts for where it stands, as PostgreSQL's weights A to D.
WEIGHTS = {"name": 10, "brand_and_options": 4, "category_names": 2, "description": 1}
FIRST = 1_000_000  # above any score of words
MOST_ATTRIBUTES = 1_000
ORDERS: dict[str, list[dict[str, str]]] = {
    "relevance": [{"_score": "desc"}, {"product_id": "asc"}],
    "price": [{"price_minor": "asc"}, {"product_id": "asc"}],
    "-price": [{"price_minor": "desc"}, {"product_id": "asc"}],
    "name": [{"name_in_order": "asc"}, {"product_id": "asc"}],
    "-created_at": [{"created_at": "desc"}, {"product_id": "asc"}],
    "rating": [{"rating_average": "desc"}, {"product_id": "asc"}],
}


class Cluster:
    """The index for one answer, which has to be there in time. Raises one of index.UNAVAILABLE."""

    def __init__(self) -> None:
        self._end = time.monotonic() + settings.ELASTICSEARCH_TIMEOUT_MS / 1000

    def search(self, **request: Any) -> Any:
        """Return what the index answers in the time that is left."""
        left = max(0.001, self._end - time.monotonic())
        return client(patience=left).search(
            index=alias(), allow_partial_search_results=False, **request
        )


class Elasticsearch:
    """Finds products in the search cluster. Raises one of index.UNAVAILABLE when it cannot."""

    def search(self, query: SearchQuery) -> Hits:
        """Return the page of products that fit best. One statement, and mostly one request."""
        meant = understand(query)
        total: dict[str, Any] = {"value": 0, "relation": "eq"}
        product_ids: list[UUID] = []
        facets = Facets()
        if meant.queries or meant.leading:
            answer = self._found(query, meant)
            total = answer["hits"]["total"]
            product_ids = [UUID(hit["_id"]) for hit in answer["hits"]["hits"]]
            facets = _facets(_filters(query), answer["aggregations"])
        return Hits(
            product_ids=tuple(product_ids),
            total=min(total["value"], MOST_HITS),
            total_is_capped=total["relation"] == "gte" or total["value"] > MOST_HITS,
            facets=facets,
            did_you_mean=meant.did_you_mean,
            redirect=meant.redirect,
            backend="elasticsearch",
        )

    def suggest(self, text: str, *, limit: int) -> Suggestions:
        """Return what the beginning of a text may become. Two statements and one request."""
        meant = understand(SearchQuery(text=text), unfinished=True)
        told = suggested(SUGGEST_NAMES, meant, text, limit)
        if meant.queries:
            answer = Cluster().search(
                query={"bool": {"filter": [PUBLISHED], "must": [_ranked(meant, meant.queries[0])]}},
                sort=ORDERS["relevance"],
                size=4 * limit,
                source=["slug", "name"],
                track_total_hits=False,
            )
            told["products"] = _named_apart(answer["hits"]["hits"])[:limit]
        return Suggestions(**told, backend="elasticsearch")

    def _found(self, query: SearchQuery, meant: Understood) -> Any:
        """Return the answer to the strictest of the queries that anything at all fits."""
        cluster = Cluster()
        filters = _filters(query)
        # What leads is a hit whatever is said, and filters leave out what the words do fit.
        plain = not meant.leading and not filters
        for meaning in meant.queries or (None,):
            said = _ranked(meant, meaning) if meaning else NOTHING
            answer = cluster.search(
                query={"bool": {"filter": [PUBLISHED], "must": [_led(meant, said)]}},
                post_filter={"bool": {"filter": list(filters.values())}},
                aggs=_counting(filters)
                if plain
                else {**_counting(filters), "said": {"filter": said}},
                sort=ORDERS[query.sort],
                from_=query.offset,
                size=query.limit,
                source=False,
                track_total_hits=MOST_HITS,
            )
            counted = answer["hits"]["total"] if plain else answer["aggregations"]["said"]
            if counted["value" if plain else "doc_count"]:
                break
        return answer


def _led(meant: Understood, said: dict[str, Any]) -> dict[str, Any]:
    """Return the query with what comes first in front of it."""
    leaders = [
        {"constant_score": {"filter": _is("product_id", leader), "boost": FIRST * place}}
        for place, leader in enumerate(reversed(meant.leading), 1)
    ]
    return {"dis_max": {"queries": [*leaders, said]}}


def _ranked(meant: Understood, meaning: Meaning) -> dict[str, Any]:
    """Return the query: the score of its words, times what buyers and staff say."""
    boosts = [
        {"filter": _is("about", boost.about), "weight": boost.weight} for boost in meant.boosts
    ]
    return {
        "function_score": {
            "query": _query(meaning),
            "functions": [
                {"field_value_factor": {"field": "popularity", "missing": 1}},
                # Sold out comes last, whatever else is said for it.
                {"filter": SOLD_OUT, "weight": 1e-6},
                *boosts,
            ],
            "score_mode": "multiply",
            "boost_mode": "multiply",
        }
    }


def _is(field: str, value: object) -> dict[str, Any]:
    return {"term": {field: str(value)}}


def _query(meaning: Meaning | str) -> dict[str, Any]:
    if isinstance(meaning, str):
        fields = [
            {"term": {field: {"value": meaning, "boost": boost}}}
            for field, boost in WEIGHTS.items()
        ]
        return {"dis_max": {"queries": fields, "tie_breaker": 0.1}}
    parts = [_query(part) for part in meaning.parts]
    if meaning.wants == "all":
        return {"bool": {"must": parts}}
    return {"dis_max": {"queries": parts, "tie_breaker": 0.5}}


def _filters(query: SearchQuery) -> dict[str, dict[str, Any]]:
    """Return the condition of each facet that is narrowed."""
    filters: dict[str, dict[str, Any]] = {}
    if query.category is not None:
        field = "about" if isinstance(query.category, UUID) else "category_slugs"
        filters["categories"] = _is(field, query.category)
    if query.brands:
        filters["brand"] = {"terms": {"brand_slug": list(query.brands)}}
    if query.availability:
        filters["availability"] = {"terms": {"availability": list(query.availability)}}
    bounds = {"gte": query.price_from, "lte": query.price_to}
    if given := {name: bound for name, bound in bounds.items() if bound is not None}:
        filters["price_minor"] = {"range": {"price_minor": given}}
    for code, values in query.attributes.items():
        chosen = [f"{code}{BETWEEN}{value}" for value in values]
        filters[_attribute(code)] = {"terms": {"attribute_values": chosen}}
    return filters


def _attribute(code: str) -> str:
    return f"attribute {code}"


def _counting(filters: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what counts the values of each facet, its own filter left out."""
    counted: dict[str, dict[str, Any]] = {
        field: {"terms": {"field": field, "size": MOST_FACET_VALUES}}
        for field in ("categories", "brand", "availability")
    }
    bounds = (0, *price_bounds())
    ranges = [{"from": low, "to": high} for low, high in pairwise(bounds)]
    counted["price_minor"] = {
        "range": {"field": "price_minor", "ranges": [*ranges, {"from": bounds[-1]}]}
    }
    narrowed = [name for name in filters if name not in counted]
    for name in ("attributes", *narrowed):
        counted[name] = {"terms": {"field": "attributes", "size": MOST_ATTRIBUTES}}
    return {
        name: {
            "filter": {"bool": {"filter": [sql for own, sql in filters.items() if own != name]}},
            "aggs": {"values": values},
        }
        for name, values in counted.items()
    }


def _facets(filters: Mapping[str, Any], counted: Mapping[str, Any]) -> Facets:
    """Return what was counted: a facet that is narrowed as it is without its own filter."""
    attributes: dict[str, list[FacetValue]] = defaultdict(list)
    for name in counted:
        if name == "attributes" or name.startswith(_attribute("")):
            for key, hits in _buckets(counted[name]):
                code, value, label = key.split(BETWEEN, 2)
                if name == (_attribute(code) if _attribute(code) in filters else "attributes"):
                    attributes[code].append(FacetValue(value, label, hits))
    return Facets(
        categories=_sorted(counted["categories"]),
        brands=_sorted(counted["brand"]),
        availability=_sorted(counted["availability"]),
        prices=tuple(
            PriceGroup(
                int(group["from"]), int(group["to"]) if "to" in group else None, group["doc_count"]
            )
            for group in counted["price_minor"]["values"]["buckets"]
            if group["doc_count"]
        ),
        attributes={
            code: tuple(_by_frequency(values)[:MOST_FACET_VALUES])
            for code, values in sorted(attributes.items())
        },
    )


def _sorted(counted: Mapping[str, Any]) -> tuple[FacetValue, ...]:
    parted = [(key.partition(BETWEEN), hits) for key, hits in _buckets(counted)]
    return tuple(
        _by_frequency(FacetValue(value, label or value, hits) for (value, _, label), hits in parted)
    )


def _by_frequency(values: Iterable[FacetValue]) -> list[FacetValue]:
    return sorted(values, key=lambda value: (-value.count, value.label))


def _buckets(counted: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(bucket["key"], bucket["doc_count"]) for bucket in counted["values"]["buckets"]]


def _named_apart(hits: Iterable[Mapping[str, Any]]) -> tuple[Suggested, ...]:
    """Return the products, of those that are called the same the first."""
    found: dict[str, Suggested] = {}
    for hit in hits:
        name = hit["_source"]["name"]
        found.setdefault(name, Suggested(UUID(hit["_id"]), hit["_source"]["slug"], name))
    return tuple(found.values())
