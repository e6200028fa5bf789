"""Reading the tables piece by piece, and which lines of the receipts can be used."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from apps.orders.management.complete_journey.source import DataMissing

ROWS_AT_ONCE = 65_536

Advance = Callable[[int], None]


def rows_in(table: Path) -> int:
    """Return how many rows a table has. Raises DataMissing."""
    with _open(table) as file:
        return int(file.metadata.num_rows)


def pieces(
    table: Path, columns: Sequence[str], *, rows: int = ROWS_AT_ONCE
) -> Iterator[tuple[int, Any]]:
    """Yield the table in record batches, at least one, each with the number of its first row.

    Raises DataMissing when a column is not there, or the file is no table.
    """
    with _open(table) as file:
        if missing := set(columns) - set(file.schema_arrow.names):
            raise DataMissing(f"{table} has no column {', '.join(sorted(missing))}.")
        first = 0
        for piece in file.iter_batches(rows, columns=list(columns)):
            yield first, piece
            first += piece.num_rows
        if not first:
            yield 0, pa.RecordBatch.from_pylist([], schema=_part(file.schema_arrow, columns))


def product_ids(table: Path) -> Any:
    """Return the ids of all products as one Arrow array."""
    return pa.concat_arrays([piece["product_id"] for _, piece in pieces(table, ["product_id"])])


def faults_of(piece: Any, known: Any) -> dict[str, Any]:
    """Return which lines have which fault. A line may have more than one; the first one counts."""
    return {
        "unknown_product": pc.invert(pc.is_in(piece["product_id"], value_set=known)),
        "quantity_zero": _not_positive(piece["quantity"]),
        "no_sale_value": _not_positive(piece["sales_value"]),
    }


def reasons_of(faults: dict[str, Any]) -> Any:
    """Return for each line the reason to leave it out, or null."""
    flags = pc.make_struct(*faults.values(), field_names=list(faults))
    return pc.case_when(flags, *faults, pa.scalar(None, pa.string()))


def _part(schema: Any, columns: Sequence[str]) -> Any:
    return pa.schema([schema.field(name) for name in columns])


def _open(table: Path) -> Any:
    try:
        return pq.ParquetFile(table)
    except pa.ArrowInvalid as error:
        raise DataMissing(f"{table} is no parquet file.") from error


def _not_positive(column: Any) -> Any:
    # Neither a missing value nor "not a number" is greater than zero.
    return pc.invert(pc.fill_null(pc.greater(column, 0), fill_value=False))
