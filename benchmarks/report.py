"""The report as Markdown."""

import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from os import cpu_count
from pathlib import Path

from benchmarks.load import Load
from benchmarks.measure import BUYERS, CONNECTIONS, Effort, Row, Rush
from benchmarks.place import Place

HEADINGS = [
    "request",
    "CPU ms",
    "app + PostgreSQL + Redis",
    "budget",
    "× constant",
    "× rows",
    "requests/s",
    "p50 / p95 / p99 ms",
    "statements",
    "budget",
]
ABOUT = """\
CPU ms: user and system time of the server's processes for one request, the load generator left
out; the median of {runs} runs of {seconds:g} s over {connections} keep-alive connections after a
warm-up. It is the figure to compare, in ratio to the floor rows of the same run. Requests a second
and latency are lower bounds, because the load generator shares the machine. Statements are those
that PostgreSQL logged for one request, without transaction control. Commits wait for the disk.
An order uses up a cart, so a run of orders is {orders} requests, however long they take.
"""


def report(
    rows: Sequence[Row], rushes: Sequence[Rush], *, place: Place, effort: Effort, products: int
) -> str:
    """Return the tables; the first two rows are the floor."""
    constant, floor_rows = (row.total_ms for row in rows[:2])
    lines = [
        "# What a request costs",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {products:,} products, {machine()}, "
        + place.servers.describe(),
        "",
        ABOUT.format(
            runs=effort.runs,
            seconds=effort.seconds,
            orders=effort.orders,
            connections=CONNECTIONS,
        ),
        line(HEADINGS),
        line(["---", *["--:"] * (len(HEADINGS) - 1)]),
        *(line(_cells(row, constant, floor_rows)) for row in rows),
        "",
        f"## One SKU, {BUYERS} buyers at once",
        "",
        line(["units", "attempts", "orders", "reserved", "attempts/s", "p50 / p95 / p99 ms", ""]),
        line(["--:"] * 6 + ["---"]),
        *(line(_rush_cells(rush)) for rush in rushes),
        "",
    ]
    return "\n".join(lines)


def _cells(row: Row, constant: float, floor_rows: float) -> list[str]:
    scenario = row.scenario
    return [
        scenario.name,
        f"**{row.total_ms:.2f}**",
        " + ".join(f"{row.cpu_ms[name]:.2f}" for name in ("web", "postgres", "redis")),
        _verdict(row.total_ms, scenario.budget_ms),
        f"{row.total_ms / constant:.1f}",
        f"{row.total_ms / floor_rows:.1f}",
        f"{row.load.per_second:,.0f}",
        _percentiles(row.load, scenario.budget_p95_ms),
        str(row.statements),
        _verdict(row.statements, scenario.budget_statements),
    ]


def _rush_cells(rush: Rush) -> list[str]:
    return [
        f"{rush.units:,}",
        str(len(rush.load.latencies)),
        str(rush.orders),
        str(rush.reserved),
        f"{rush.load.per_second:,.0f}",
        _percentiles(rush.load),
        "exact" if rush.exact else "**not exact**",
    ]


def _verdict(measured: float, budget: float | None) -> str:
    if budget is None:
        return ""
    return f"{budget:g} ok" if measured <= budget else f"{budget:g} **over**"


def _percentiles(load: Load, budget_p95: float | None = None) -> str:
    text = " / ".join(f"{load.percentile_ms(percent):.1f}" for percent in (50, 95, 99))
    if budget_p95 is None:
        return text
    return f"{text}; p95: {_verdict(load.percentile_ms(95), budget_p95)}"


def line(cells: Sequence[str]) -> str:
    """Return a row of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Return on what, and with what, it was measured."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    versions = ", ".join(f"{name} {version(name)}" for name in ("Django", "gunicorn"))
    return (
        f"{model[1] if model else platform.machine()}, {cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions}"
    )
