"""Product files, CSV and JSON Lines: read record by record in constant memory, and written.

In CSV a row is a variant, and the rows of a product follow each other: the first one holds what is
said of the product, the others repeat what names it. In JSON Lines a line is a product, and its
variants are a list. Both have the columns of `columns.table`, and both are UTF-8.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import orjson

from apps.catalog.columns.kinds import BadValue
from apps.catalog.columns.table import (
    MOST_VARIANTS,
    OF_PRODUCTS,
    OF_VARIANTS,
    PRODUCT_COLUMNS,
    VARIANT_COLUMNS,
    Column,
)
from apps.catalog.models.exchange import Format

LONGEST_RECORD = 1024 * 1024
NAMES_A_PRODUCT = ("id", "external_ref", "slug")
# A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection).
FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
GUARDED = FORMULA | {"'"}
BOM = b"\xef\xbb\xbf"
PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class FileFault(Exception):
    """The file cannot be read, or not from this line on: nothing of it is taken."""

    def __init__(self, code: str, detail: str, *, line: int) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.line = line


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a record: on which line, in which column (empty: as a whole)."""

    line: int
    column: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its file a record is: where it begins, where the next one does."""

    offset: int
    line: int
    next_offset: int
    last_line: int


@dataclass(slots=True)
class Record:
    """A product as a file has it: the values that are given, by column, and what is wrong."""

    line: int
    product: dict[str, Any] = field(default_factory=dict)
    variants: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    place: Place | None = None


class Lines:
    """The lines of a file, decoded one by one; knows how far it has read.

    Raises FileFault for what is no UTF-8, for NUL characters, packed files and endless records.
    """

    def __init__(self, file: BinaryIO, *, offset: int = 0, line: int = 0) -> None:
        self.offset = self.began = offset
        self.line = line
        self._file = file

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._file.readline(LONGEST_RECORD + 1)
        if not raw:
            raise StopIteration
        self.line += 1
        if self.offset == 0:
            self._look_at(raw)
        self.offset += len(raw)
        if self.offset - self.began > LONGEST_RECORD:
            raise self._fault(
                "record_too_long",
                "A record is longer than 1 MiB; maybe a quotation mark is not closed.",
            )
        if b"\0" in raw:
            raise self._fault("nul_character", "The file holds a NUL character.")
        try:
            return raw.removeprefix(BOM).decode() if self.line == 1 else raw.decode()
        except UnicodeDecodeError as error:
            raise self._fault(
                "not_utf8", f"Byte {error.start + 1} of the line is no UTF-8. Save it as UTF-8."
            ) from error

    def _look_at(self, raw: bytes) -> None:
        if raw.startswith(UTF_16):
            raise self._fault("not_utf8", "The file is UTF-16. Save it as UTF-8.")
        if raw.startswith(PACKED):
            raise self._fault("packed_file", "The file is packed. Send what is inside.")

    def _fault(self, code: str, detail: str) -> FileFault:
        return FileFault(code, detail, line=self.line)


@dataclass(frozen=True, slots=True)
class Header:
    """Where in a row the columns stand."""

    width: int
    of_product: tuple[tuple[int, Column], ...]
    of_variant: tuple[tuple[int, Column], ...]
    naming: tuple[int, ...]


def header_of(lines: Lines, file_format: Format) -> Header | None:
    """Read the header, which CSV files have. Raises FileFault for columns that cannot be."""
    if file_format is Format.JSON_LINES:
        return None
    names = [name.strip() for name in next(_rows(lines), [])]
    if not any(names):
        raise FileFault("empty_file", "The file is empty.", line=1)
    unknown = [name for name in names if name not in PRODUCT_COLUMNS | VARIANT_COLUMNS]
    if unknown:
        hint = " Separate columns by commas." if ";" in names[0] or "\t" in names[0] else ""
        named = ", ".join(repr(name[:60]) for name in unknown[:10])
        raise FileFault("unknown_column", f"There is no column {named}.{hint}", line=1)
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileFault("duplicate_column", f"The column {twice} is there twice.", line=1)
    naming = tuple(names.index(name) for name in NAMES_A_PRODUCT if name in names)
    if not naming and "sku" not in names:
        raise FileFault(
            "missing_column", "One of the columns id, external_ref, slug, sku is needed.", line=1
        )
    return Header(
        len(names),
        tuple(
            (n, PRODUCT_COLUMNS[name]) for n, name in enumerate(names) if name in PRODUCT_COLUMNS
        ),
        tuple(
            (n, VARIANT_COLUMNS[name]) for n, name in enumerate(names) if name in VARIANT_COLUMNS
        ),
        naming,
    )


def _places(names: list[str], columns: dict[str, Column]) -> tuple[tuple[int, Column], ...]:
    return tuple((n, columns[name]) for n, name in enumerate(names) if name in columns)


def places(lines: Lines, header: Header | None) -> Iterator[Place]:
    """Find the records that follow, without reading what they hold. Raises FileFault."""
    if header is None:
        return (place for place, _ in _texts(lines))
    return (place for place, _ in _groups(lines, header))


def records(lines: Lines, header: Header | None) -> Iterator[Record]:
    """Read the records that follow. Raises FileFault."""
    if header is None:
        return (_of_text(text, place) for place, text in _texts(lines))
    return (_of_rows(rows, header, place) for place, rows in _groups(lines, header))


def _groups(lines: Lines, header: Header) -> Iterator[tuple[Place, list[tuple[int, list[str]]]]]:
    """Yield the rows of each product, with their lines; not more than are looked at."""
    group: list[tuple[int, list[str]]] = []
    began, names = (0, 0), [""]
    rows = _rows(lines)
    while True:
        offset, line = lines.offset, lines.line
        cells = next(rows, None)
        if cells is not None and not any(cells):
            continue
        these = [cells[n] for n in header.naming if n < len(cells)] if cells else []
        if cells and group and these == names and any(names):
            if len(group) <= MOST_VARIANTS:
                group.append((line + 1, cells))
            continue
        if group:
            yield Place(*began, offset, line), group
        if cells is None:
            return
        group, names, began = [(line + 1, cells)], these, (offset, line + 1)


def _rows(lines: Lines) -> Iterator[list[str]]:
    reader = csv.reader(lines, strict=True)
    while True:
        lines.began, line = lines.offset, lines.line + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise FileFault("malformed_csv", f"The row is no CSV: {error}.", line=line) from error
        if cells is None:
            return
        yield cells


def _of_rows(rows: list[tuple[int, list[str]]], header: Header, place: Place) -> Record:
    record = Record(place.line, place=place)
    first: list[str] | None = None
    for line, cells in rows:
        if len(cells) != header.width:
            detail = f"The row has {len(cells)} cells, the header {header.width}."
            record.faults.append(Fault(line, "", "wrong_number_of_cells", detail))
            continue
        if first is None:
            first = cells
            _read(header.of_product, cells, line, record.product, record.faults)
        for n, column in header.of_product:
            if cells[n] and cells[n] != first[n]:
                detail = "This differs from the product's first row."
                record.faults.append(Fault(line, column.name, "contradicts_first_row", detail))
        if any(cells[n] for n, _ in header.of_variant):
            variant: dict[str, Any] = {}
            _read(header.of_variant, cells, line, variant, record.faults)
            _keep(record, variant, line)
    return record


def _read(
    columns: Iterable[tuple[int, Column]],
    cells: list[str],
    line: int,
    into: dict[str, Any],
    faults: list[Fault],
) -> None:
    for n, column in columns:
        cell = cells[n]
        if not cell and column.keeps:
            continue
        if cell.startswith("'") and cell[1:2] in GUARDED:
            cell = cell[1:]
        try:
            into[column.name] = column.kind.of_cell(cell)
        except BadValue as bad:
            faults.append(Fault(line, column.name, bad.code, bad.detail))


def _texts(lines: Lines) -> Iterator[tuple[Place, str]]:
    while True:
        offset = lines.began = lines.offset
        text = next(lines, None)
        if text is None:
            return
        if text.strip():
            yield Place(offset, lines.line, lines.offset, lines.line), text


def _of_text(text: str, place: Place) -> Record:
    try:
        record = record_of(orjson.loads(text), line=place.line)
    except orjson.JSONDecodeError as error:
        fault = Fault(place.line, "", "not_json", f"This is no JSON: {error}.")
        record = Record(place.line, faults=[fault])
    record.place = place
    return record


def record_of(document: Any, *, line: int) -> Record:
    """Return the record that a JSON document is: the product's columns, and `variants`."""
    record = Record(line)
    if not isinstance(document, dict):
        record.faults.append(Fault(line, "", "not_an_object", "The line is no JSON object."))
        return record
    variants = document.pop("variants", None) or []
    _take_values(document, PRODUCT_COLUMNS, record, record.product)
    if not isinstance(variants, list) or not all(isinstance(each, dict) for each in variants):
        detail = "Variants are a list of objects."
        record.faults.append(Fault(line, "variants", "not_a_list", detail))
        return record
    for each in variants:
        values: dict[str, Any] = {}
        _take_values(each, VARIANT_COLUMNS, record, values)
        _keep(record, values, line)
    return record


def _take_values(
    given: dict[str, Any], columns: dict[str, Column], record: Record, into: dict[str, Any]
) -> None:
    for name, value in given.items():
        column = columns.get(name)
        if column is None:
            detail = "There is no such column."
            record.faults.append(Fault(record.line, name[:60], "unknown_column", detail))
        elif value is not None or not column.keeps:
            try:
                into[name] = column.kind.of_json(value)
            except BadValue as bad:
                record.faults.append(Fault(record.line, name, bad.code, bad.detail))


def _keep(record: Record, variant: dict[str, Any], line: int) -> None:
    """Add a variant to its record, if it has a name and there is room."""
    if len(record.variants) >= MOST_VARIANTS:
        if not any(fault.code == "too_many_variants" for fault in record.faults):
            detail = f"A product has at most {MOST_VARIANTS} variants."
            record.faults.append(Fault(line, "sku", "too_many_variants", detail))
    elif variant.get("sku"):
        record.variants.append(variant)
    elif not any(fault.line == line and fault.column == "sku" for fault in record.faults):
        record.faults.append(Fault(line, "sku", "required", "A variant needs its SKU."))


def csv_header(without: Sequence[str] = ()) -> bytes:
    """Return the first line of a CSV file."""
    return _csv_rows([[c.name for c in (*OF_PRODUCTS, *OF_VARIANTS) if c.name not in without]])


def written(
    products: Iterable[tuple[dict[str, Any], list[dict[str, Any]]]],
    file_format: Format,
    *,
    without: Sequence[str] = (),
) -> bytes:
    """Return products, each with its variants, as lines of a file."""
    of_products = [column for column in OF_PRODUCTS if column.name not in without]
    of_variants = [column for column in OF_VARIANTS if column.name not in without]
    if file_format is Format.JSON_LINES:
        return b"".join(
            orjson.dumps(
                {
                    **{c.name: c.kind.to_json(product[c.name]) for c in of_products},
                    "variants": [
                        {c.name: c.kind.to_json(variant[c.name]) for c in of_variants}
                        for variant in variants
                    ],
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for product, variants in products
        )
    rows: list[list[str]] = []
    for product, variants in products:
        cells = [_guarded(c.kind.to_cell(product[c.name])) for c in of_products]
        if not variants:
            rows.append([*cells, *("" for _ in of_variants)])
        for variant in variants:
            rows.append([*cells, *(_guarded(c.kind.to_cell(variant[c.name])) for c in of_variants)])
            cells = [
                cell if column.name in NAMES_A_PRODUCT else ""
                for cell, column in zip(cells, of_products, strict=True)
            ]
    return _csv_rows(rows)


def _csv_rows(rows: list[list[str]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell and cell[0] in GUARDED else cell
