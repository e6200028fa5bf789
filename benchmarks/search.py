"""Searching the real catalog: what people type, whole, cut short and mistyped."""

import random
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import quote

from apps.orders.management.complete_journey.source import DataMissing, find_source
from benchmarks.measure import Effort, Row, measure
from benchmarks.place import place
from benchmarks.requests import get
from benchmarks.scenarios import API, Scenario

# A person types more slowly than this, and nobody should see a list come late.
P95_SEARCH_MS, P95_SUGGESTIONS_MS = 60, 20
QUERIES = 400


def why_not() -> str:
    """Return why the real catalog cannot be searched here; nothing if it can."""
    try:
        find_source(None)
    except DataMissing as reason:
        return str(reason)
    return ""


def measure_search(*, application: str, probe: str, effort: Effort) -> list[Row]:
    """Fill another store with the real catalog and return what searching it costs."""
    with place() as here:
        here.python("manage.py", "load_complete_journey", f"--report={here.folder / 'report'}")
        here.execute("VACUUM ANALYZE")
        names = [
            str(name)
            for (name,) in here.execute("SELECT DISTINCT name FROM catalog_category ORDER BY name")
        ]
        [(products,)] = here.execute("SELECT count(*) FROM catalog_product")
        scenarios = list(_scenarios(names, f"in {products:,} real products"))
        return measure(here, application, scenarios, probe=probe, effort=effort)


def _scenarios(names: list[str], where: str) -> Iterator[Scenario]:
    dice = random.Random(3)
    chosen = [dice.choice(names).lower() for _ in range(QUERIES)]
    whole = [get(f"{API}/search?q={quote(_typed(name, dice))}") for name in chosen]
    parts = [
        get(f"{API}/search/suggestions?q={quote(name[: dice.randint(2, 8)])}") for name in chosen
    ]
    yield Scenario(
        name=f"search, 25, with facets, {where}",
        requests=lambda port: cycle(whole),
        budget_statements=3,
        budget_p95_ms=P95_SEARCH_MS,
    )
    yield Scenario(
        name=f"search suggestions {where}",
        requests=lambda port: cycle(parts),
        budget_statements=3,
        budget_p95_ms=P95_SUGGESTIONS_MS,
    )


def _typed(name: str, dice: random.Random) -> str:
    """Return the name as people type it: most of them whole, some cut short, some mistyped."""
    manner = dice.random()
    if manner < 0.6 or len(name) < 5:
        return name
    if manner < 0.8:
        return name[: dice.randint(4, len(name))]
    at = dice.randrange(len(name) - 1)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
