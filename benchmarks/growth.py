"""Whether reading the catalog costs more when there is more of it."""

# ruff: noqa: S608 - the SQL is put together from constants

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from benchmarks.measure import Row
from benchmarks.place import Place
from benchmarks.report import line, machine
from benchmarks.seed_facts import SECONDS_BETWEEN_PRODUCTS

MOST_GROWTH = 1.2
LARGE = "grown"

ABOUT = """\
The same requests to two stores with a generated catalog, one small and one large, in turns: so both
meet the machine at its slow and at its quick moments. The large one is a copy of the small one that
has grown by copies of its products, with other ids, names in addresses, SKUs and times, which
PostgreSQL makes of the rows: importing a million would take the better part of an hour. CPU ms as
in results.md, the median of {runs} runs. Promised: at most {most:.0%} of the small one.
"""

# Table -> what is different in copy number k of a row `o`. What follows from a constraint's trigger
# in the store (the ledger, the search's entries) is not copied: lists and details do not read it.
COPIED = {
    "catalog_product": {
        "id": "md5(o.id::text || k)::uuid",
        "slug": "o.slug || '-' || k",
        "external_ref": "o.external_ref || '-' || k",
        "created_at": "o.created_at - k * interval '{span} s'",
    },
    "catalog_variant": {
        "id": "md5(o.id::text || k)::uuid",
        "product_id": "md5(o.product_id::text || k)::uuid",
        "sku": "o.sku || '-' || k",
    },
    "catalog_stock": {
        "id": "md5(o.id::text || k)::uuid",
        "variant_id": "md5(o.variant_id::text || k)::uuid",
    },
    "catalog_image": {
        "id": "md5(o.id::text || k)::uuid",
        "product_id": "md5(o.product_id::text || k)::uuid",
    },
}


def grown_copy(place: Place, *, few: int, many: int) -> Place:
    """Copy the store into another database, and let the copy grow from `few` to `many` products."""
    place.execute(f"CREATE DATABASE {LARGE} TEMPLATE ecommerce OWNER ecommerce")
    copy = replace(
        place.with_variables(
            DATABASE_URL=_beside(place.environment["DATABASE_URL"], LARGE),
            REDIS_URL=_beside(place.environment["REDIS_URL"], "9"),
        ),
        superuser_url=_beside(place.superuser_url, LARGE),
    )
    _grow(copy, few=few, many=many)
    return copy


def _beside(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _grow(place: Place, *, few: int, many: int) -> None:
    statements = ["SET session_replication_role = replica"]
    for table, different in COPIED.items():
        rows = place.execute(
            "SELECT column_name FROM information_schema.columns"
            f" WHERE table_name = '{table}' ORDER BY ordinal_position"
        )
        columns = [str(name) for (name,) in rows]
        values = [
            different.get(name, f"o.{name}").format(span=few * SECONDS_BETWEEN_PRODUCTS)
            for name in columns
        ]
        statements.append(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM {table} o CROSS JOIN generate_series(1, {many // few - 1}) AS k"
        )
    place.execute(*statements, "VACUUM ANALYZE", "CHECKPOINT")


def grew(few: Row, many: Row) -> bool:
    """Return whether a request costs more than is promised."""
    return many.total_ms > few.total_ms * MOST_GROWTH


def growth_report(
    small: Sequence[Row], large: Sequence[Row], *, few: int, many: int, runs: int, place: Place
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
        for one, other in zip(small, large, strict=True)
    ]
    headings = ["request", f"CPU ms, {few:,}", f"CPU ms, {many:,}", "ratio", "statements"]
    return "\n".join(
        [
            f"# What {many:,} products cost beside {few:,}",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {place.servers.describe()}",
            "",
            ABOUT.format(most=MOST_GROWTH, runs=runs),
            line(headings),
            line(["---", *["--:"] * (len(headings) - 1)]),
            *(line(row) for row in rows),
            "",
        ]
    )
