"""How fast files of products come in: all new, and once more without a change."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median_low

from benchmarks.cpu import cpu_seconds
from benchmarks.place import Place
from benchmarks.report import line, machine
from benchmarks.search import why_not
from ecommerce.local.errors import CannotStart
from ecommerce.local.state import CHECKOUT

PRODUCTS_A_SECOND = 2_000
TOLD_BY_THE_STORE = ("id", "version")
EMPTY = (
    "SET session_replication_role = replica",  # the ledger is not to be emptied otherwise
    "TRUNCATE catalog_product, catalog_brand, catalog_category, catalog_import CASCADE",
    "VACUUM",
)

ABOUT = """\
`manage.py import_products FILE.csv` in a store without workers; of {runs} runs, the one of median
time. Wanted: {wanted:,} products a second on a machine that does nothing else. CPU in microseconds
a product: more than the time that passes allows for means that something else was running. The
generated products have {variants:.1f} variants each, with stock, options and a description; the
real ones have one variant, and no description.
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that was taken in: how many products, in which time, at which cost."""

    what: str
    products: int
    seconds: float
    python_seconds: float
    postgres_seconds: float
    peak_mb: int
    load: float


def measure_imports(here: Place, *, products: int, runs: int) -> tuple[list[Imported], float]:
    """Take generated products in, and the real ones where they are; also how many variants."""
    here.python("manage.py", "generate_catalog", f"--products={products}")
    [(variants,)] = here.execute("SELECT count(*) FROM catalog_variant")
    rows = list(_measure(here, "generated", runs))
    if not why_not():
        here.execute(*EMPTY)
        here.python("manage.py", "load_complete_journey", f"--report={here.folder / 'report'}")
        rows += _measure(here, "real", runs)
    return rows, int(str(variants)) / products


def imports_report(rows: Sequence[Imported], variants: float, *, runs: int, place: Place) -> str:
    """Return the measurements as Markdown."""
    headings = ["file", "products", "products/s", "CPU Python", "CPU PostgreSQL", "MB", "load"]
    return "\n".join(
        [
            "# How fast files of products come in",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {place.servers.describe()}",
            "",
            ABOUT.format(runs=runs, wanted=PRODUCTS_A_SECOND, variants=variants),
            line(headings),
            line(["---", *["--:"] * (len(headings) - 1)]),
            *(
                line(
                    [
                        row.what,
                        f"{row.products:,}",
                        f"**{row.products / row.seconds:,.0f}**",
                        f"{row.python_seconds / row.products * 1e6:.0f}",
                        f"{row.postgres_seconds / row.products * 1e6:.0f}",
                        str(row.peak_mb),
                        f"{row.load:.1f}",
                    ]
                )
                for row in rows
            ),
            "",
        ]
    )


def _measure(here: Place, name: str, runs: int) -> Iterator[Imported]:
    """Export what is there, and take it in: into an empty catalog, and into a full one."""
    exported, new = here.folder / "exported.csv", here.folder / "new.csv"
    here.python("manage.py", "export_products", "--with-stock", f"--output={exported}")
    products = _without(TOLD_BY_THE_STORE, exported, new)
    firsts, agains = [], []
    for _ in range(runs):
        here.execute(*EMPTY)
        firsts.append(_take_in(here, f"{name}, all new", new, products))
        agains.append(_take_in(here, f"{name}, unchanged", new, products))
    for took in (firsts, agains):
        middle = median_low(each.seconds for each in took)
        yield next(each for each in took if each.seconds == middle)


def _without(columns: Sequence[str], file: Path, into: Path) -> int:
    """Copy a CSV file without some columns. Returns how many products it holds."""
    references = set()
    with file.open(newline="") as source, into.open("w", newline="") as target:
        rows = csv.DictReader(source)
        kept = [name for name in rows.fieldnames or () if name not in columns]
        writer = csv.DictWriter(target, kept, extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            references.add(row["external_ref"])
            writer.writerow(row)
    return len(references)


def _take_in(here: Place, what: str, file: Path, products: int) -> Imported:
    postgres = here.trees["postgres"]
    before, began = cpu_seconds(postgres), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_products", str(file)],
        cwd=CHECKOUT,
        env=dict(here.environment),
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise CannotStart(f"import_products {file} failed; the reason is above.")
    return Imported(
        what,
        products,
        time.monotonic() - began,
        usage.ru_utime + usage.ru_stime,
        cpu_seconds(postgres) - before,
        usage.ru_maxrss // 1024,
        os.getloadavg()[0],
    )
