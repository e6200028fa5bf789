"""What the cells of product files may hold, in CSV and in JSON.

Each kind reads a CSV cell (`of_cell`) or a JSON value (`of_json`) and returns the value as the
database keeps it, or raises BadValue; and it writes a kept value back (`to_cell`, `to_json`). What
was written is read as the same value. The empty cell and JSON's null both are the empty value.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.kernel.converters import CANONICAL
from apps.kernel.money import Money, NotAnAmount, format_minor

LARGEST_PRICE = 10**12


class BadValue(Exception):
    """A cell that does not hold what its column takes: a code, and the same in words."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Kind:
    """How the values of a column are read and written; here as texts that are kept as they are."""

    __slots__ = ()

    @property
    def takes(self) -> str:
        """Say in a few words what may stand in a cell."""
        raise NotImplementedError

    @property
    def empty(self) -> Any:
        """Return what an empty cell means."""
        return None

    def of_cell(self, cell: str) -> Any:
        """Return the value of a CSV cell. Raises BadValue."""
        raise NotImplementedError

    def of_json(self, value: Any) -> Any:
        """Return the value of a JSON value. Raises BadValue."""
        return self.of_cell(text_of(value))

    def to_cell(self, value: Any) -> str:
        """Return the value as a CSV cell."""
        return "" if value is None else str(value)

    def to_json(self, value: Any) -> Any:
        """Return the value as a JSON value."""
        return value


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """Text of a limited length, kept to the character."""

    longest: int
    required: bool = False
    pattern: re.Pattern[str] | None = None
    pattern_code: str = ""
    empty: Any = ""

    @property
    def takes(self) -> str:
        return f"text of up to {self.longest} characters"

    def of_cell(self, cell: str) -> str:
        if len(cell) > self.longest:
            raise BadValue("too_long", f"At most {self.longest} characters fit.")
        if self.required and not cell.strip():
            raise BadValue("required", "This may not be empty.")
        if self.pattern and cell and not self.pattern.match(cell):
            raise BadValue(self.pattern_code, f"{cell[:60]!r} has not the form that is asked for.")
        return cell


@dataclass(frozen=True, slots=True)
class Identifier(Kind):
    """An id of ours, kept as its text."""

    takes = "an id (a UUID)"

    def of_cell(self, cell: str) -> str | None:
        if not cell:
            return None
        if not CANONICAL.fullmatch(cell):
            raise BadValue("not_an_id", "An id is a UUID.")
        return str(UUID(cell))


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of a few words."""

    words: Collection[str]

    @property
    def takes(self) -> str:
        return f"one of {', '.join(self.words)}"

    def of_cell(self, cell: str) -> Any:
        if not cell:
            return None
        if cell not in self.words:
            raise BadValue("not_a_choice", f"This is {self.takes}.")
        return cell


@dataclass(frozen=True, slots=True)
class Currency(Kind):
    """The code of the store's currency, and of no other."""

    takes = "the code of the store's currency"

    def of_cell(self, cell: str) -> str | None:
        if cell and cell != settings.STORE_CURRENCY:
            raise BadValue("currency_mismatch", f"The store sells in {settings.STORE_CURRENCY}.")
        return cell or None


@dataclass(frozen=True, slots=True)
class Amount(Kind):
    """A price in the store's currency, kept in minor units; a decimal text also in JSON."""

    takes = "an amount such as 19.99"

    def of_cell(self, cell: str) -> int | None:
        if not cell:
            return None
        try:
            minor = Money.parse(cell, settings.STORE_CURRENCY).minor
        except NotAnAmount as refusal:
            raise BadValue("not_an_amount", refusal.detail) from refusal
        if not 0 <= minor <= LARGEST_PRICE:
            raise BadValue("out_of_bounds", "A price is not negative, and not beyond belief.")
        return minor

    def to_cell(self, value: Any) -> str:
        return "" if value is None else format_minor(value, settings.STORE_CURRENCY)

    def to_json(self, value: Any) -> Any:
        return None if value is None else self.to_cell(value)


@dataclass(frozen=True, slots=True)
class Whole(Kind):
    """A whole number within bounds."""

    least: int
    largest: int
    empty: Any = None

    @property
    def takes(self) -> str:
        return f"a whole number from {self.least} to {self.largest}"

    def of_cell(self, cell: str) -> Any:
        if not cell:
            return self.empty
        if not (cell.isascii() and cell.isdigit() and len(cell) <= 18):
            raise BadValue("not_a_number", f"This is {self.takes}.")
        return self.of_json(int(cell))

    def of_json(self, value: Any) -> Any:
        if value is None:
            return self.empty
        if type(value) is not int:
            raise BadValue("not_a_number", f"This is {self.takes}.")
        if not self.least <= value <= self.largest:
            raise BadValue("out_of_bounds", f"This is {self.takes}.")
        return value


@dataclass(frozen=True, slots=True)
class YesNo(Kind):
    """Yes or no."""

    takes = "true or false"

    def of_cell(self, cell: str) -> bool | None:
        if not cell:
            return None
        if cell.lower() not in {"true", "false"}:  # spreadsheets write them in capitals
            raise BadValue("not_a_choice", "This is true or false.")
        return cell.lower() == "true"

    def of_json(self, value: Any) -> bool | None:
        if value is not None and type(value) is not bool:
            raise BadValue("not_a_choice", "This is true or false.")
        return value

    def to_cell(self, value: Any) -> str:
        return "" if value is None else str(value).lower()


@dataclass(frozen=True, slots=True)
class Moment(Kind):
    """A time to the microsecond, with its offset from UTC."""

    takes = "a time with its offset from UTC, such as 2026-12-01T08:00:00+01:00"

    def of_cell(self, cell: str) -> datetime | None:
        if not cell:
            return None
        try:
            moment = datetime.fromisoformat(cell)
            if moment.tzinfo:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise BadValue("not_a_time", f"This is {self.takes}.")

    def to_cell(self, value: Any) -> str:
        return "" if value is None else value.astimezone(UTC).isoformat()

    def to_json(self, value: Any) -> Any:
        return None if value is None else self.to_cell(value)


def text_of(value: Any) -> str:
    """Return a JSON value that is a text; empty for null. Raises BadValue."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadValue("not_text", "This is no text.")
    if "\0" in value:
        raise BadValue("nul_character", "Text may not hold NUL characters.")
    return value
