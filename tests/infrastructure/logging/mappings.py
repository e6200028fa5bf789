"""The index template as a judge: which fields there are, and which values each of them takes."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime

import toolbox

TEMPLATE = toolbox.CHECKOUT / "config" / "elasticsearch" / "index-template.json"
# In every line, whatever it is about.
ALWAYS = {"time", "level", "logger", "message", "process", "release", "environment"}
LEVELS = {"DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"}


def _is_date(value: object) -> bool:
    return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# What Elasticsearch would index as it is, without guessing: stricter than its coercion.
FITS: dict[str, Callable[[object], bool]] = {
    "date": _is_date,
    "keyword": lambda value: isinstance(value, str) and len(value) <= 8191,
    "text": lambda value: isinstance(value, str),
    "short": lambda value: _is_number(value) and value == int(value) and -32768 <= value <= 32767,
    "float": _is_number,
}


def fields_of(template: dict) -> dict[str, str]:
    """Return the dotted name of every mapped field with its type."""
    return dict(_fields(template["template"]["mappings"]["properties"], ""))


def _fields(properties: dict, prefix: str) -> Iterator[tuple[str, str]]:
    for name, mapping in properties.items():
        if "properties" in mapping:
            yield from _fields(mapping["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", mapping["type"]


MAPPED = fields_of(json.loads(TEMPLATE.read_text()))


def unfit(line: dict) -> list[str]:
    """Return the names of the line's fields that are missing, not mapped, or of the wrong kind."""
    wrong = sorted(ALWAYS - set(line))
    wrong += [
        name for name, value in line.items() if name not in MAPPED or not FITS[MAPPED[name]](value)
    ]
    return wrong if line.get("level") in LEVELS else [*wrong, "level"]
