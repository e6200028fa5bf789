"""Whether reading the catalog costs more when there is more of it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.measure import Row
from benchmarks.place import Place
from benchmarks.report import line, machine

MOST_GROWTH = 1.2

ABOUT = """\
The same requests to the same catalog (`manage.py generate_catalog`) before and after it has grown,
one after the other in one run. CPU ms as in results.md. Promised: at most {most:.0%} of before.
"""


def grew(few: Row, many: Row) -> bool:
    """Return whether a request costs more than is promised."""
    return many.total_ms > few.total_ms * MOST_GROWTH


def growth_report(
    before: Sequence[Row], after: Sequence[Row], *, few: int, many: int, place: Place
) -> str:
    """Return the comparison as Markdown."""
    rows = [
        [
            one.scenario.name,
            f"{one.total_ms:.2f}",
            f"{other.total_ms:.2f}",
            f"**{other.total_ms / one.total_ms:.2f}**" + (" **over**" if grew(one, other) else ""),
            f"{one.statements}, {other.statements}",
        ]
        for one, other in zip(before, after, strict=True)
    ]
    headings = ["request", f"CPU ms, {few:,}", f"CPU ms, {many:,}", "ratio", "statements"]
    return "\n".join(
        [
            f"# What {many:,} products cost beside {few:,}",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {place.servers.describe()}",
            "",
            ABOUT.format(most=MOST_GROWTH),
            line(headings),
            line(["---", *["--:"] * (len(headings) - 1)]),
            *(line(row) for row in rows),
            "",
        ]
    )
