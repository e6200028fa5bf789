"""Whether reading the catalog costs more when there is more of it."""

# ruff: noqa: S608 - the SQL is put together from constants

from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.measure import Row
from benchmarks.place import Place
from benchmarks.report import line, machine
from benchmarks.seed_facts import SECONDS_BETWEEN_PRODUCTS

MOST_GROWTH = 1.2

ABOUT = """\
The same requests to a generated catalog before and after it has grown, one after the other in one
run. It grows by copies of its products, with other ids, names in addresses, SKUs and times, which
PostgreSQL makes of the rows: importing a million would take the better part of an hour. CPU ms as
in results.md. Promised: at most {most:.0%} of before.
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


def grow(place: Place, *, few: int, many: int) -> None:
    """Let the catalog grow to `many` products by copies of its `few`."""
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
