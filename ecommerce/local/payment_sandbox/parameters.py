"""What a request asks for: Stripe's bracket notation, read field by field."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from ecommerce.local.payment_sandbox.refusals import invalid

DEEPEST = 5
LARGEST_AMOUNT = 99_999_999
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode(encoded: bytes) -> dict[str, Any]:
    """Return `a[b][]=c` pairs as nested dictionaries; a list is a dictionary keyed by position.

    Raises: Refusal, when the text is not form-encoded UTF-8 or the names contradict each other.
    """
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000
        )
    except ValueError:
        raise invalid("Invalid request: the parameters are not form-encoded UTF-8.") from None
    values: dict[str, Any] = {}
    for name, text in pairs:
        match = _NAME.fullmatch(name)
        if match is None:
            raise invalid(f"Invalid parameter name: {name[:100]}")
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        if len(path) > DEEPEST:
            raise invalid("Invalid request: the parameters are nested too deeply.")
        _place(values, path, text)
    return values


def _place(values: dict[str, Any], path: list[str], text: str) -> None:
    *parents, last = path
    for step in parents:
        values = values.setdefault(step or str(len(values)), {})
        if not isinstance(values, dict):
            raise invalid("Invalid request: a parameter is both a value and a hash.")
    values[last or str(len(values))] = text


class Parameters:
    """The fields of one request. Every field that was never asked for is an unknown one."""

    def __init__(self, values: Mapping[str, Any], prefix: str = "") -> None:
        self._values = dict(values)
        self._prefix = prefix

    def _param(self, name: str) -> str:
        return f"{self._prefix}[{name}]" if self._prefix else name

    def text(self, name: str, *, longest: int = 5000) -> str | None:
        """Return the text, or None when it was left out or sent empty."""
        value = self._values.pop(name, None)
        if isinstance(value, dict):
            raise invalid(f"Invalid string: {self._param(name)}", param=self._param(name))
        if value and len(value) > longest:
            raise invalid(
                f"Invalid string: must be at most {longest} characters",
                param=self._param(name),
            )
        return value or None

    def required_text(self, name: str, *, longest: int = 5000) -> str:
        """Return the text. Raises: Refusal, when it was left out."""
        return self.text(name, longest=longest) or self._left_out(name)

    def integer(self, name: str, *, least: int, most: int) -> int | None:
        """Return the whole number, or None when it was left out."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]{1,15}", value):
            raise invalid(
                f"Invalid integer: {value[:50]}",
                param=self._param(name),
                code="parameter_invalid_integer",
            )
        number = int(value)
        if number < least:
            raise invalid(
                f"This value must be greater than or equal to {least}.",
                param=self._param(name),
                code="parameter_invalid_integer",
            )
        if number > most:
            raise invalid(
                f"This value must be less than or equal to {most}.",
                param=self._param(name),
                code="amount_too_large" if most == LARGEST_AMOUNT else "parameter_invalid_integer",
            )
        return number

    def amount(self, name: str) -> int | None:
        """Return a sum of money in minor units, at least one."""
        return self.integer(name, least=1, most=LARGEST_AMOUNT)

    def required_amount(self, name: str) -> int:
        """Return a sum of money in minor units. Raises: Refusal, when it was left out."""
        return self.amount(name) or self._left_out(name)

    def flag(self, name: str) -> bool:
        """Return the truth value; left out means false."""
        return self.choice(name, ("true", "false"), default="false") == "true"

    def choice(self, name: str, allowed: tuple[str, ...], *, default: str) -> str:
        """Return one of the allowed words."""
        value = self.text(name) or default
        if value not in allowed:
            raise invalid(
                f"Invalid {self._param(name)}: must be one of {', '.join(allowed)}",
                param=self._param(name),
            )
        return value

    def words(self, name: str) -> list[str]:
        """Return a list of texts; left out means empty."""
        value = self._values.pop(name, {})
        items = list(value.values()) if isinstance(value, dict) else [value]
        if not all(isinstance(item, str) for item in items):
            raise invalid("Invalid array", param=self._param(name))
        return items

    def inside(self, name: str) -> "Parameters":
        """Return the fields of a nested hash; left out means an empty one."""
        value = self._values.pop(name, None) or {}
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=self._param(name))
        return Parameters(value, prefix=self._param(name))

    def metadata(self) -> dict[str, str]:
        """Return the caller's own facts, within Stripe's limits."""
        facts = self._values.pop("metadata", None) or {}
        if not isinstance(facts, dict) or any(isinstance(fact, dict) for fact in facts.values()):
            raise invalid("Metadata must be a hash of strings.", param="metadata")
        if len(facts) > 50:
            raise invalid("You can specify up to 50 metadata keys.", param="metadata")
        for key, fact in facts.items():
            if len(key) > 40 or len(fact) > 500:
                raise invalid(
                    "Metadata keys can be up to 40 characters and values up to 500 characters.",
                    param=f"metadata[{key[:40]}]",
                )
        return {key: fact for key, fact in facts.items() if fact}

    def finish(self) -> None:
        """Raises: Refusal, when fields are left that nobody asked for."""
        if self._values:
            name = self._param(next(iter(self._values)))
            raise invalid(
                f"Received unknown parameter: {name[:200]}",
                param=name[:200],
                code="parameter_unknown",
            )

    def _left_out(self, name: str) -> Any:
        raise invalid(
            f"Missing required param: {self._param(name)}.",
            param=self._param(name),
            code="parameter_missing",
        )
