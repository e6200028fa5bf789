"""The judged queries: what is asked, and which products are how good an answer."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from math import log2
from pathlib import Path
from statistics import mean
from typing import Any

from django.db import connection

from apps.catalog.search.engine import Engine, SearchQuery

FOLDER = Path(__file__).parent
DEPTH = 10

# Department, commodity and sub-commodity are the three levels of the real catalog.
PRODUCTS = """
SELECT p.id, above.names, p.package_size, coalesce(b.name, '')
FROM catalog_product p
LEFT JOIN catalog_brand b ON b.id = p.brand_id
JOIN catalog_category own ON own.id = p.category_id
CROSS JOIN LATERAL (
    SELECT array_agg(c.name::text ORDER BY c.path) AS names
    FROM unnest(string_to_array(trim(BOTH '/' FROM own.path), '/')::uuid[]) AS step(id)
    JOIN catalog_category c ON c.id = step.id
) above
WHERE p.status = 'published'
"""

Facts = tuple[tuple[str, ...], str, str]


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A text, the kind of it, and what it is after: a place in the catalog, a size, a brand."""

    kind: str
    text: str
    path: tuple[str, ...]
    size: str = ""
    brand: str = ""

    def grade(self, product: Facts) -> int:
        """Return how good an answer a product is, from 0 to 3.

        A product of the very place is worth 3, one level further up 2, in the same department 1.
        Where a size or a brand is asked for, too, only what has it is worth 3, and the rest one
        less each.
        """
        path, size, brand = product
        common = 0
        for own, its in zip(self.path, path, strict=False):
            if own != its:
                break
            common += 1
        if not common:
            return 0
        missing = len(self.path) - common
        if self.size or self.brand:
            exact = (not self.size or size == self.size) and (not self.brand or brand == self.brand)
            missing += not exact
        # A query for a commodity has a department above it and nothing between.
        return max(0, 3 - missing - (len(self.path) < 3 and missing > 0))


class Judge:
    """Knows what each product is worth to each query."""

    def __init__(self, products: Mapping[Any, Facts]) -> None:
        self.products = products

    @cached_property
    def kinds_of_products(self) -> Counter[Facts]:
        """The products counted by what judges look at."""
        return Counter(self.products.values())

    def scores(self, query: JudgedQuery, product_ids: Iterable[Any]) -> tuple[float, float]:
        """Return nDCG and the reciprocal rank of the first product worth 3, of the first DEPTH."""
        found = [query.grade(self.products[product_id]) for product_id in product_ids][:DEPTH]
        best: list[int] = []
        for facts, count in self.kinds_of_products.items():
            if grade := query.grade(facts):
                best += [grade] * min(count, DEPTH)
        ideal = _gain(sorted(best, reverse=True)[:DEPTH])
        first = next((1 / place for place, grade in enumerate(found, 1) if grade == 3), 0.0)
        return (_gain(found) / ideal if ideal else 0.0), first


def evaluate(engine: Engine, *, one_of: int = 1) -> dict[str, tuple[int, float, float]]:
    """Return number of queries, nDCG@10 and MRR of each kind, and of all together.

    Every query counts, or one of so many. Queries for places that the catalog does not have are
    left out; without any the answer is empty.
    """
    judge = judge_of_database()
    places = {path[:depth] for path, *_ in judge.kinds_of_products for depth in (2, 3)}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for query in judged_queries()[::one_of]:
        if query.path in places:
            hits = engine.search(SearchQuery(text=query.text, limit=DEPTH))
            score = judge.scores(query, hits.product_ids)
            found[query.kind].append(score)
            found["all"].append(score)
    return {
        kind: (len(own), mean(gain for gain, _ in own), mean(rank for _, rank in own))
        for kind, own in sorted(found.items(), key=lambda each: (each[0] == "all", each[0]))
    }


def _gain(grades: list[int]) -> float:
    return sum((2**grade - 1) / log2(place + 1) for place, grade in enumerate(grades, 1))


def judge_of_database() -> Judge:
    """Return who knows all published products."""
    with connection.cursor() as cursor:
        cursor.execute(PRODUCTS)
        return Judge(
            {row_id: (tuple(path), size, brand) for row_id, path, size, brand in cursor.fetchall()}
        )


def judged_queries() -> list[JudgedQuery]:
    """Return the queries of the repository."""
    return [
        JudgedQuery(**{**entry, "path": tuple(entry["path"])})
        for entry in json.loads((FOLDER / "queries.json").read_text())
    ]


def write_queries(queries: Iterable[JudgedQuery]) -> None:
    """Keep the queries, one a line."""
    lines = [
        json.dumps({name: value for name, value in asdict(query).items() if value})
        for query in queries
    ]
    (FOLDER / "queries.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
