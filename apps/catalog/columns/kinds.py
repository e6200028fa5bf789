"""What the cells of product files may hold, in CSV and in JSON.

Each kind reads a CSV cell (`of_cell`) or a JSON value (`of_json`) and returns the value as the
database keeps it, or raises BadValue; and it writes a kept value back (`to_cell`, `to_json`). What
was written is read as the same value. The empty cell and JSON's null both are the empty value.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
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
        return self.of_cell(_text(value))

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
class Path(Kind):
    """Names from the root of a tree down: `Food > Fruit` in a cell, a list in JSON."""

    longest: int
    deepest: int
    takes = "names from the root down, such as Food > Fruit"

    def of_cell(self, cell: str) -> list[str] | None:
        return self._checked(split(cell, ">")) if cell else None

    def of_json(self, value: Any) -> list[str] | None:
        if not value:
            return None
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise BadValue("not_a_path", "This is a list of names.")
        return self._checked(value)

    def to_cell(self, value: Any) -> str:
        return join(value or (), ">")

    def _checked(self, names: list[str]) -> list[str]:
        if any("\0" in name for name in names):
            raise BadValue("nul_character", "Text may not hold NUL characters.")
        if not all(name.strip() for name in names):
            raise BadValue("not_a_path", "A name in the path is empty.")
        if any(len(name) > self.longest for name in names):
            raise BadValue("too_long", f"A name has at most {self.longest} characters.")
        if len(names) > self.deepest:
            raise BadValue("not_a_path", f"The tree has at most {self.deepest} levels.")
        return names


@dataclass(frozen=True, slots=True)
class Pairs(Kind):
    """Texts by name, a JSON object in a cell as well: `{"Size":"L"}`."""

    most: int
    longest_name: int
    longest: int
    takes = 'a JSON object of texts, such as {"Size":"L"}'

    @property
    def empty(self) -> Any:
        return {}

    def of_cell(self, cell: str) -> dict[str, str]:
        return self.of_json(loads(cell)) if cell else {}

    def of_json(self, value: Any) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise BadValue("not_an_object", f"This is {self.takes}.")
        if any("\0" in text for pair in value.items() for text in pair):
            raise BadValue("nul_character", "Text may not hold NUL characters.")
        if (
            len(value) > self.most
            or any(len(name) > self.longest_name for name in value)
            or any(len(text) > self.longest for text in value.values())
        ):
            raise BadValue(
                "too_long",
                f"At most {self.most} names of {self.longest_name} characters, with texts of "
                f"{self.longest}.",
            )
        return value

    def to_cell(self, value: Any) -> str:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else ""


def split(cell: str, separator: str) -> list[str]:
    r"""Return the parts of a cell, without the spaces around them; `\` makes a sign a letter."""
    if "\\" not in cell:
        return [part.strip(" ") for part in cell.split(separator)]
    parts, part, letters = [], "", iter(cell)
    for letter in letters:
        if letter == "\\":
            # A space that is meant survives the trimming as what no cell can hold.
            part += next(letters, "").replace(" ", "\0")
        elif letter == separator:
            parts.append(part)
            part = ""
        else:
            part += letter
    return [each.strip(" ").replace("\0", " ") for each in (*parts, part)]


def join(parts: Iterable[str], separator: str) -> str:
    """Return the cell that `split` takes apart again."""
    escaped = (re.sub(rf"^ | \Z|[\\{separator}]", r"\\\g<0>", part) for part in parts)
    return f" {separator} ".join(escaped)


def loads(cell: str) -> Any:
    """Return the JSON that stands in a cell. Raises BadValue."""
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError as error:
        raise BadValue("not_json", "This is no valid JSON.") from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadValue("not_text", "This is no text.")
    if "\0" in value:
        raise BadValue("nul_character", "Text may not hold NUL characters.")
    return value
