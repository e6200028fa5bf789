"""What a text means: its words as the catalog writes them, and what staff have to say about it."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal
from uuid import UUID

import orjson
from django.db import connection

from apps.catalog.documents import plain, shortened, stem
from apps.catalog.search.engine import SearchQuery
from apps.kernel.prepared import prepared

MOST_WORDS = 12
MOST_WAYS_TO_END = 24
SHORTEST_BEGINNING, SHORTEST_PART, SHORTEST_TYPO, TWO_TYPOS_FROM = 2, 4, 3, 6

# Words that are near an unknown one: they begin with it, hold it if it is long enough to tell
# something, or a typo or two part them.
NEAR = f"""
SELECT coalesce(json_agg(json_build_array(near.word, near.stem, near.products)), '[]') FROM (
    SELECT n.word, n.stem, n.products FROM catalog_searchword n
    WHERE n.word LIKE CASE WHEN length(a.word) < {SHORTEST_PART} THEN '' ELSE '%%' END
            || a.word || '%%'
        OR n.shortened && (a.word || {shortened("a.word")})::varchar[]
        OR n.word = ANY({shortened("a.word")})
        OR n.word %% a.word AND length(a.word) >= {TWO_TYPOS_FROM}
    ORDER BY n.word LIKE a.word || '%%' DESC, n.word LIKE '%%' || a.word || '%%' DESC,
        similarity(n.word, a.word) DESC, n.products DESC, n.word
    LIMIT {MOST_WAYS_TO_END}
) near
"""

UNDERSTAND = f"""
WITH asked AS MATERIALIZED (
    SELECT w.word, w.place, {stem("w.word")} AS stem
    FROM regexp_split_to_table(trim({plain("%(text)s::text")}), '\\s+')
        WITH ORDINALITY AS w(word, place)
    WHERE w.word <> '' AND w.place <= {MOST_WORDS}
), whole AS MATERIALIZED (
    SELECT coalesce(string_agg(word, ' ' ORDER BY place), '') AS normal,
        ' ' || coalesce(string_agg(stem, ' ' ORDER BY place), '') || ' ' AS stems
    FROM asked
)
SELECT json_build_object(
    'normal', whole.normal,
    'words', (
        SELECT coalesce(json_agg(json_build_array(a.word, a.stem, CASE
            WHEN a.stem IS NULL OR a.word !~ '[^0-9.]' THEN NULL
            WHEN EXISTS (SELECT FROM catalog_searchword k WHERE k.stem = a.stem)
                AND NOT (%(unfinished)s AND a.place = (SELECT max(place) FROM asked)) THEN NULL
            ELSE ({NEAR})
        END) ORDER BY a.place), '[]') FROM asked a
    ),
    'synonyms', (
        SELECT coalesce(json_agg(json_build_array(t.stem, s.stems)), '[]')
        FROM catalog_searchsynonym s, unnest(s.stems) WITH ORDINALITY AS t(stem, place)
        WHERE (s.two_way OR t.place = 1) AND strpos(whole.stems, ' ' || t.stem || ' ') > 0
    ),
    'pinned', (
        SELECT coalesce(json_agg(b.product_id ORDER BY b.created_at, b.id), '[]')
        FROM catalog_searchboost b WHERE b.query = whole.normal AND b.pinned
    ),
    'boosts', (
        SELECT coalesce(json_agg(json_build_array(
            coalesce(b.product_id, b.brand_id, b.category_id), f.id, b.weight
        )), '[]')
        FROM catalog_searchboost b LEFT JOIN catalog_searchfacet f
            ON f.facet = CASE WHEN b.brand_id IS NULL THEN 'category' ELSE 'brand' END
            AND f.reference = coalesce(b.brand_id, b.category_id)::text
        WHERE b.query IN ('', whole.normal) AND NOT b.pinned
            AND (b.product_id IS NOT NULL OR f.id IS NOT NULL)
    ),
    'redirect', (SELECT r.path FROM catalog_searchredirect r WHERE r.query = whole.normal),
    'called', (
        SELECT v.product_id FROM catalog_variant v
        WHERE upper(v.sku) = upper(%(text)s::text) AND v.is_active
    )
)::text FROM whole
"""

FACETS = """
    'facets', (
        SELECT coalesce(json_agg(json_build_array(f.facet, f.id)), '[]')
        FROM unnest(%(facets)s::text[], %(values)s::text[]) AS chosen(facet, value)
        JOIN catalog_searchfacet f ON (f.facet, f.value) = (chosen.facet, chosen.value)
            OR (f.facet, f.reference) = (chosen.facet, chosen.value)
    ),
"""
UNDERSTAND_WITH_FILTERS = UNDERSTAND.replace("    'normal',", f"{FACETS}    'normal',")


@dataclass(frozen=True, slots=True)
class Meaning:
    """Stems, all or any of which a product has to have, and what is made of them in turn."""

    wants: Literal["all", "any"]
    parts: "tuple[Meaning | str, ...]"


@dataclass(frozen=True, slots=True)
class Boost:
    """What staff multiply the rank of: a product, or a brand or category that is this facet."""

    about: UUID
    facet: int | None
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What is to be looked for: `queries`, the strictest first.

    `normal` is the text as rules are written for it. `leading` are products that come first:
    those that staff have pinned, and the one whose SKU this is. `facets` are the numbers of the
    filters' values.
    """

    normal: str
    queries: tuple[Meaning, ...]
    did_you_mean: str | None
    redirect: str | None
    leading: tuple[UUID, ...]
    boosts: tuple[Boost, ...]
    facets: Mapping[str, tuple[int, ...]]


def understand(query: SearchQuery, *, unfinished: bool = False) -> Understood:
    """Return what the text means and the filters are called here. One statement.

    The last word of an unfinished text may go on, also when there is such a word already.
    """
    # PostgreSQL's texts cannot hold NUL.
    text = query.text.replace("\0", " ").strip()
    chosen = list(_chosen(query))
    with prepared(), connection.cursor() as cursor:
        cursor.execute(
            UNDERSTAND_WITH_FILTERS if chosen else UNDERSTAND,
            {
                "text": text,
                "unfinished": unfinished,
                "facets": [facet for facet, _ in chosen],
                "values": [value for _, value in chosen],
            },
        )
        found = orjson.loads(cursor.fetchone()[0])
    # Nothing may be called so, but a synonym says what it is.
    explained = {stem for said, _ in found["synonyms"] for stem in said.split()}
    words = [
        _Word(word, stem, None if stem in explained else near)
        for word, stem, near in found["words"]
        if stem is not None
    ]
    facets: dict[str, tuple[int, ...]] = {facet: () for facet, _ in chosen}
    for facet, number in found.get("facets", ()):
        facets[facet] = (*facets[facet], number)
    leading = found["pinned"] + ([found["called"]] if found["called"] else [])
    return Understood(
        normal=found["normal"],
        queries=_queries(words, found["synonyms"]),
        did_you_mean=_put_right(found["words"], words),
        redirect=found["redirect"],
        leading=tuple(dict.fromkeys(UUID(product_id) for product_id in leading)),
        boosts=tuple(Boost(UUID(about), *rest) for about, *rest in found["boosts"]),
        facets=facets,
    )


class _Word:
    """A word of the text, and by which stems it is looked for."""

    def __init__(self, word: str, stem: str, near: list[list[Any]] | None) -> None:
        self.word, self.stem = word, stem
        self.put_right: str | None = None
        self.stems = [stem] if near is None else self._nearest(near)

    def _nearest(self, near: list[list[Any]]) -> list[str]:
        """Return the stems of what begins with the word, else holds it, else is a typo away."""
        word = self.word
        if len(word) >= SHORTEST_BEGINNING and (
            longer := [other for other in near if other[0].startswith(word)]
        ):
            return _stems(longer)
        if len(word) >= SHORTEST_PART and (longer := [other for other in near if word in other[0]]):
            return _stems(longer)
        if len(word) < SHORTEST_TYPO:
            return []
        most = 2 if len(word) >= TWO_TYPOS_FROM else 1
        typos = [(distance(word, other[0], most), other) for other in near]
        typos = [typo for typo in typos if typo[0] <= most]
        if not typos:
            return []
        # A first letter is seldom wrong, and what is sold more often is looked for more often.
        typos.sort(key=lambda typo: (typo[0], typo[1][0][0] != word[0], -typo[1][2], typo[1][0]))
        self.put_right = typos[0][1][0]
        return [typos[0][1][1]]


def distance(one: str, other: str, most: int) -> int:
    """Return how many letters were left out, added, changed or swapped; `most` + 1 for more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, its in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                least = min(least, two_before[j - 2] + 1)
            row.append(least)
        if min(row) > most:
            return most + 1
    return row[-1]


def _stems(words: Iterable[Sequence[Any]]) -> list[str]:
    return list(dict.fromkeys(word[1] for word in words))


def _chosen(query: SearchQuery) -> Iterable[tuple[str, str]]:
    if query.category is not None:
        yield "category", str(query.category)
    for brand in query.brands:
        yield "brand", brand
    for code, values in query.attributes.items():
        for value in values:
            yield f"attribute:{code}", value


def _put_right(said: list[list[Any]], words: Sequence[_Word]) -> str | None:
    better = {word.word: word.put_right for word in words if word.put_right}
    return " ".join(better.get(word, word) for word, *_ in said) if better else None


def _queries(words: Sequence[_Word], synonyms: Iterable[Sequence[Any]]) -> tuple[Meaning, ...]:
    """Return queries for all of the words, for all but one of them, for any of them."""
    meant: list[Meaning | None] = [_any(word.stems) for word in words if word.stems]
    spoken = [word.stem for word in words if word.stems]
    for said, alternatives in synonyms:
        phrase = said.split()
        for start in range(len(spoken) - len(phrase) + 1):
            if spoken[start : start + len(phrase)] == phrase:
                others = [_all(each.split()) for each in alternatives]
                own = _all(part for part in meant[start : start + len(phrase)] if part)
                meant[start : start + len(phrase)] = [
                    _any([own, *others]),
                    *[None] * (len(phrase) - 1),
                ]
                break
    groups = [group for group in meant if group]
    if not groups:
        return ()
    queries = [_all(groups)]
    if len(groups) > 2:
        queries.append(_any(_all(some) for some in combinations(groups, len(groups) - 1)))
    if len(groups) > 1:
        queries.append(_any(groups))
    return tuple(queries)


def _all(parts: Iterable[Meaning | str]) -> Meaning:
    return Meaning("all", tuple(parts))


def _any(parts: Iterable[Meaning | str]) -> Meaning:
    return Meaning("any", tuple(parts))
