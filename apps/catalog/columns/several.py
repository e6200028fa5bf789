"""What the cells of product files may hold where it is more than one value."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from apps.catalog.columns.kinds import BadValue, Kind, Text, text_of


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
        return join(value or (), ">", between=" > ")

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


@dataclass(frozen=True, slots=True)
class Names(Kind):
    """Names in no order: `vegan, made in Italy` in a cell, a list in JSON."""

    most: int
    longest: int
    takes = "names with commas between them"

    @property
    def empty(self) -> Any:
        return []

    def of_cell(self, cell: str) -> list[str]:
        return self.of_json(split(cell, ",")) if cell else []

    def of_json(self, value: Any) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadValue("not_a_list", "This is a list of names.")
        names = sorted({text_of(name) for name in value})
        if not all(name.strip() for name in names):
            raise BadValue("required", "A name is empty.")
        if len(names) > self.most or any(len(name) > self.longest for name in names):
            detail = f"At most {self.most} names of {self.longest} characters fit."
            raise BadValue("too_long", detail)
        return names

    def to_cell(self, value: Any) -> str:
        return join(value, ",", between=", ")


@dataclass(frozen=True, slots=True)
class Values(Kind):
    """Values by code: `material=oak; width=30; colours=red,blue` in a cell, an object in JSON.

    Of which kind a value is a cell does not say: it is a text for whoever knows the attributes.
    """

    most: int
    longest: int
    takes = "values by code, such as material=oak; width=30; colours=red,blue"

    @property
    def empty(self) -> Any:
        return {}

    def of_cell(self, cell: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for part in split(cell, ";") if cell else ():
            code, equals, value = (piece.strip(" ") for piece in part.partition("="))
            if not equals or code in values:
                raise BadValue("not_values", f"These are {self.takes}; each code once.")
            values[code] = value
        return self.of_json(values)

    def of_json(self, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadValue("not_an_object", "This is an object of values by code.")
        if len(value) > self.most:
            raise BadValue("too_long", f"At most {self.most} values fit.")
        for each in value.values():
            for text in each if isinstance(each, list) else [each]:
                if isinstance(text, str):
                    Text(self.longest).of_json(text)
                elif not isinstance(text, int | float):
                    detail = "A value is a text, a number, true, false or a list of texts."
                    raise BadValue("not_values", detail)
        return value

    def to_cell(self, value: Any) -> str:
        parts = (f"{code}={_told(each)}" for code, each in sorted(value.items()))
        return join(parts, ";", between="; ")


def _told(value: Any) -> str:
    """Return a value of an attribute as people write it."""
    if isinstance(value, list):
        return ",".join(value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


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


def join(parts: Iterable[str], separator: str, *, between: str) -> str:
    """Return the cell that `split` takes apart again; `between` is the separator with spaces."""
    escaped = (re.sub(rf"^ | \Z|[\\{separator}]", r"\\\g<0>", part) for part in parts)
    return between.join(escaped)


def loads(cell: str) -> Any:
    """Return the JSON that stands in a cell. Raises BadValue."""
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError as error:
        raise BadValue("not_json", "This is no valid JSON.") from error
