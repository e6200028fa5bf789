"""`make bench`: measure, print the tables, and fail when a promise is broken.

Promises are the statement budgets and that nothing is sold twice; time is only shown.
"""

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from benchmarks.growth import MOST_GROWTH, grew, grown_copy, growth_report
from benchmarks.imports import imports_report, measure_imports
from benchmarks.measure import Effort, Row, Rush, Unexpected, measure, measure_beside, rush
from benchmarks.place import Place, place, web
from benchmarks.pricing import pricing_report
from benchmarks.report import report
from benchmarks.scenarios import (
    FLOOR,
    catalog_scenarios,
    repeated_scenarios,
    store_scenarios,
)
from benchmarks.search import measure_search, why_not
from ecommerce.local.children import adopt_orphans
from ecommerce.local.errors import CannotStart

RESULTS = Path(__file__).with_name("results.md")
GROWTH = Path(__file__).with_name("growth.md")
IMPORTS = Path(__file__).with_name("imports.md")
FLOOR_APPLICATION, STORE = "benchmarks.floor.wsgi", "ecommerce.wsgi"
READY = "/api/v1/categories"
FULL = Effort(runs=3, seconds=4, warm_up=1, orders=300)
IN_TURNS = Effort(runs=9, seconds=2, warm_up=1, orders=0)
QUICK = Effort(runs=1, seconds=1, warm_up=0.3, orders=60)


def main() -> int:
    """Run the benchmark that the arguments describe. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short run of each; the results are not kept"
    )
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--only", default="", help="only requests whose name holds this text")
    parser.add_argument(
        "--grow-to",
        type=int,
        metavar="N",
        help="instead: what reading the catalog costs with so many products, beside --products",
    )
    parser.add_argument(
        "--imports", action="store_true", help="instead: how fast files of --products come in"
    )
    parser.add_argument(
        "--pricing", action="store_true", help="instead: what pricing a large basket costs"
    )
    options = parser.parse_args()
    if options.pricing:
        print(pricing_report())
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    adopt_orphans()
    try:
        if options.imports:
            return _imports(options)
        return _growth(options) if options.grow_to else _benchmark(options)
    except (CannotStart, Unexpected) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _benchmark(options: argparse.Namespace) -> int:
    effort = QUICK if options.quick else FULL
    hot_carts, hot_units = (120, 40) if options.quick else (600, 200)
    searched = _search(effort) if options.only in "search" else []
    with place() as here:
        _say(f"measuring on {here.servers.describe()}")
        facts = _fill(
            here,
            products=options.products,
            carts=effort.orders * (effort.runs + 1) + 100,
            hot_carts=hot_carts,
            hot_units=hot_units,
        )
        scenarios = [
            scenario
            for scenario in store_scenarios(facts, orders_a_run=effort.orders)
            if options.only in scenario.name
        ]
        rows = measure(here, FLOOR_APPLICATION, FLOOR, probe="/constant", effort=effort)
        rows += measure(here, STORE, scenarios, probe=READY, effort=effort)
        repeated = [each for each in repeated_scenarios(facts) if options.only in each.name]
        if repeated:
            rows += measure(
                here.with_variables(ANSWERS_KEPT_SECONDS="2"),
                *(STORE, repeated),
                probe=READY,
                effort=effort,
            )
        rows += searched
        rushes = [] if options.only else _rushes(here, facts, hot_units)
        text = report(rows, rushes, place=here, effort=effort, products=options.products)
    print(text)
    if not (options.quick or options.only):
        RESULTS.write_text(text)
    broken = [
        f"{row.scenario.name}: {row.statements} statements"
        for row in rows
        if row.too_many_statements
    ]
    broken += [f"{rush.units} units: {rush.orders} orders" for rush in rushes if not rush.exact]
    for promise in broken:
        print(f"Broken: {promise}", file=sys.stderr)
    return 1 if broken else 0


def _search(effort: Effort) -> list[Row]:
    if reason := why_not():
        _say(f"Search was not measured. {reason}")
        return []
    _say("loading the real catalog")
    return measure_search(application=STORE, probe=READY, effort=effort)


def _growth(options: argparse.Namespace) -> int:
    effort = QUICK if options.quick else IN_TURNS
    with place() as here:
        _say(f"measuring on {here.servers.describe()}")
        here.python("-m", "benchmarks.seed", f"--products={options.products}")
        grown = grown_copy(here, few=options.products, many=options.grow_to)
        _say(f"measuring {options.products:,} and {options.grow_to:,} products in turns")
        small, large = measure_beside(
            [here, grown],
            STORE,
            [catalog_scenarios(_read_facts(each)) for each in (here, grown)],
            probe=READY,
            effort=effort,
        )
        text = growth_report(
            *(small, large),
            few=options.products,
            many=options.grow_to,
            runs=effort.runs,
            place=here,
        )
    print(text)
    too_much = [
        few.scenario.name for few, many in zip(small, large, strict=True) if grew(few, many)
    ]
    for name in too_much:
        print(f"Broken: {name} costs more than {MOST_GROWTH:.0%} of few", file=sys.stderr)
    if not options.quick:
        GROWTH.write_text(text)
    return 1 if too_much else 0


def _imports(options: argparse.Namespace) -> int:
    effort = QUICK if options.quick else FULL
    with place() as here:
        _say(f"measuring on {here.servers.describe()}")
        rows, variants = measure_imports(here, products=options.products, runs=effort.runs)
        text = imports_report(rows, variants, runs=effort.runs, place=here)
    print(text)
    if not options.quick:
        IMPORTS.write_text(text)
    return 0


def _read_facts(here: Place) -> dict:
    """Return the first thousand products, which are the same however many there are."""
    rows = here.execute("SELECT id, slug FROM catalog_product ORDER BY id LIMIT 1000")
    return {
        "product_ids": [str(product_id) for product_id, _ in rows],
        "product_slugs": [str(slug) for _, slug in rows],
    }


def _fill(here: Place, *, products: int, carts: int, hot_carts: int, hot_units: int) -> dict:
    path = here.folder / "facts.json"
    here.python(
        *("-m", "benchmarks.seed", f"--facts={path}", f"--products={products}"),
        *(f"--carts={carts}", f"--hot-carts={hot_carts}", f"--hot-units={hot_units}"),
    )
    facts = json.loads(path.read_text())
    _say(f"imported {products:,} products in {facts['import_seconds']:.1f} s")
    return dict(facts)


def _rushes(here: Place, facts: dict, hot_units: int) -> list[Rush]:
    with web(here, STORE, probe=READY) as (port, _):
        return [
            rush(
                here,
                port,
                variant=facts[f"{name}_variant"],
                carts=facts[f"{name}_carts"],
                units=units,
            )
            for name, units in (("plenty", 1_000_000), ("scarce", hot_units))
        ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
