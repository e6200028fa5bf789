"""How the judged queries were made: by rules from the names of the catalog, never from a search.

Needs the real catalog in the database (`make load-complete-journey`); the same catalog gives the
same queries. Beside them goes an extract of the catalog, small enough for the tests.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator

from apps.catalog.management.judged.queries import (
    FOLDER,
    Facts,
    JudgedQuery,
    judge_of_database,
    write_queries,
)

SEED = 20_261_128
OF_EACH_KIND = 24
FEWEST_PRODUCTS = 10
KEPT_OF_A_JUDGED_TYPE, KEPT_OF_OTHERS = 8, 1

# What the shop's names abbreviate, and how people say it.
IN_FULL = {
    "frzn": "frozen",
    "refrgratd": "refrigerated",
    "sald": "salad",
    "drsng": "dressing",
    "choc": "chocolate",
    "veg": "vegetables",
    "drnk": "drink",
    "sft": "soft",
    "pnt": "peanut",
    "btr": "butter",
    "bn": "beans",
    "mxs": "mixes",
    "pckgd": "packaged",
    "bkd": "baked",
    "btl": "bottle",
    "crm": "cream",
    "mlk": "milk",
    "unswtnd": "unsweetened",
    "assort": "assorted",
    "flvr": "flavor",
    "hhld": "household",
    "cleang": "cleaning",
    "wht": "white",
    "jce": "juice",
    "conc": "concentrate",
    "hygn": "hygiene",
    "fem": "feminine",
    "tiss": "tissue",
    "trsh": "trash",
    "pwdr": "powder",
    "brkfst": "breakfast",
    "whlsm": "wholesome",
}


def make() -> tuple[int, int]:
    """Write queries.json and products.json. Returns how many queries and products."""
    judge, dice = judge_of_database(), random.Random(SEED)  # noqa: S311 - a fixed draw, no secret
    of_type: dict[tuple[str, ...], list[Facts]] = defaultdict(list)
    of_commodity: dict[tuple[str, ...], int] = defaultdict(int)
    for facts in judge.products.values():
        if len(facts[0]) == 3:
            of_type[facts[0]].append(facts)
            of_commodity[facts[0][:2]] += 1
    types = sorted(path for path, own in of_type.items() if len(own) >= FEWEST_PRODUCTS)
    queries = [
        query
        for kind, made in (
            ("name", _names(types)),
            ("commodity", _commodities(of_commodity)),
            ("typo", _typos(types, dice)),
            ("partial", _partial(types)),
            ("other-form", _other_forms(types)),
            ("other-order", _other_order(types)),
            ("with-size", _with(types, of_type, "size")),
            ("with-brand", _with(types, of_type, "brand")),
            ("in-full", _in_full(types)),
        )
        for query in _draw(kind, list(made), dice)
    ]
    write_queries(queries)
    return len(queries), _write_extract(queries, of_type)


def words_of(name: str) -> list[str]:
    """Return up to four words of a name as somebody would type them."""
    words = re.findall(r"[a-z]+", name.lower().replace("'", ""))
    return [word for word in words if len(word) > 2][:4]


def _draw(kind: str, made: list[JudgedQuery], dice: random.Random) -> list[JudgedQuery]:
    by_text = {query.text: query for query in made}
    return [by_text[text] for text in sorted(dice.sample(sorted(by_text), OF_EACH_KIND))]


def _names(types: list[tuple[str, ...]]) -> Iterator[JudgedQuery]:
    """The words of a sub-commodity's name."""
    for path in types:
        if words := words_of(path[2]):
            yield JudgedQuery("name", " ".join(words), path)


def _commodities(sizes: dict[tuple[str, ...], int]) -> Iterator[JudgedQuery]:
    """The words of a commodity's name."""
    for path in sorted(path for path, count in sizes.items() if count >= FEWEST_PRODUCTS):
        if words := words_of(path[1]):
            yield JudgedQuery("commodity", " ".join(words), path)


def _typos(types: list[tuple[str, ...]], dice: random.Random) -> Iterator[JudgedQuery]:
    """A name with one letter of its longest word left out, doubled, changed or swapped."""
    for path in types:
        words = words_of(path[2])
        word = max(words, key=len, default="")
        if len(word) < 5:
            continue
        at = dice.randrange(1, len(word) - 1)
        edited = dice.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + dice.choice("aeiourstln") + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
        if edited != word:
            text = " ".join(edited if each == word else each for each in words)
            yield JudgedQuery("typo", text, path)


def _partial(types: list[tuple[str, ...]]) -> Iterator[JudgedQuery]:
    """A name whose last word is typed no further than two thirds."""
    for path in types:
        words = words_of(path[2])
        if words and len(words[-1]) >= 6:
            cut = words[-1][: max(4, len(words[-1]) * 2 // 3)]
            yield JudgedQuery("partial", " ".join([*words[:-1], cut]), path)


def _other_forms(types: list[tuple[str, ...]]) -> Iterator[JudgedQuery]:
    """A name with each plural in the singular, and each singular in the plural."""
    for path in types:
        words = words_of(path[2])
        if words and all(len(word) > 3 for word in words):
            turned = [word[:-1] if word.endswith("s") else f"{word}s" for word in words]
            yield JudgedQuery("other-form", " ".join(turned), path)


def _other_order(types: list[tuple[str, ...]]) -> Iterator[JudgedQuery]:
    """The words of a name from the last to the first, with "and" between them."""
    for path in types:
        words = words_of(path[2])
        if len(words) > 1:
            yield JudgedQuery("other-order", " and ".join(reversed(words)), path)


def _with(
    types: list[tuple[str, ...]], of_type: dict[tuple[str, ...], list[Facts]], what: str
) -> Iterator[JudgedQuery]:
    """A name and a size, or the kind of brand, that some but not most of its products have."""
    for path in types:
        counts: dict[str, int] = defaultdict(int)
        for _, size, brand in of_type[path]:
            counts[size if what == "size" else brand] += 1
        some = [
            value
            for value, count in sorted(counts.items())
            if value and 3 <= count <= len(of_type[path]) // 2
        ]
        if (words := words_of(path[2])) and some:
            text = " ".join([*words, some[0].lower()])
            yield JudgedQuery(f"with-{what}", text, path, **{what: some[0]})


def _in_full(types: list[tuple[str, ...]]) -> Iterator[JudgedQuery]:
    """A name that abbreviates, in whole words: what the shop does not say itself."""
    for path in types:
        words = words_of(path[2])
        said = [IN_FULL.get(word, word) for word in words]
        if said != words:
            yield JudgedQuery("in-full", " ".join(said), path)


def _write_extract(queries: list[JudgedQuery], of_type: dict[tuple[str, ...], list[Facts]]) -> int:
    judged = {query.path for query in queries}
    lines, products = [], 0
    for path, own in sorted(of_type.items()):
        wanted = {(q.size, q.brand) for q in queries if q.path == path and (q.size or q.brand)}
        first = [f for f in own if any(f[1] == s or (not s and f[2] == b) for s, b in wanted)][:4]
        kept = KEPT_OF_A_JUDGED_TYPE if path in judged else KEPT_OF_OTHERS
        some = (first + [facts for facts in own if facts not in first])[:kept]
        products += len(some)
        lines.append(json.dumps([*path, [[size, brand] for _, size, brand in some]]))
    (FOLDER / "products.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    return products
