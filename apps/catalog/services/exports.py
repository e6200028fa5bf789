"""Writing all products to files that imports take."""

from collections.abc import Iterator, Sequence

from django.db import reset_queries

from apps.catalog.columns.table import STOCK
from apps.catalog.formats import csv_header, written
from apps.catalog.models.exchange import Format
from apps.catalog.selectors.records import FIRST, PresentProduct, records_after

PRODUCTS_A_PIECE = 1_000


def all_pieces(*, file_format: Format, with_stock: bool) -> Iterator[bytes]:
    """Yield a file of all products in the order of their ids, piece by piece."""
    without = () if with_stock else (STOCK,)
    if file_format == Format.CSV:
        yield csv_header(without)
    after = FIRST
    while products := records_after(after=after, limit=PRODUCTS_A_PIECE):
        yield _piece(products, file_format, without)
        after = products[-1].id
        reset_queries()  # with DEBUG on, Django remembers every statement


def _piece(
    products: Sequence[PresentProduct], file_format: Format, without: Sequence[str]
) -> bytes:
    return written(
        ((each.values, [v.values for v in each.variants]) for each in products),
        file_format,
        without=without,
    )
