"""How values stand in queries of the catalog."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from math import isfinite
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import Attribute
from apps.catalog.pricing import LARGEST_PRICE
from apps.catalog.selectors.filters import AttributeFilter, kind_of_filter
from apps.kernel.money import Money, NotAnAmount
from apps.kernel.pagination import Ordering, PageQuery

ATTRIBUTE = re.compile(r"filter\[attributes\.([a-z][a-z0-9_]{0,39})\](?:\[(gte|lte)\])?")
MOST_FILTERS = 20
BOUNDED = (Attribute.Kind.NUMBER, Attribute.Kind.DATE)


def name_of_cursor(value: Any) -> str:
    """Return the name that a cursor holds. Raises ValueError."""
    if not isinstance(value, str) or "\0" in value or len(value) > 200:
        raise ValueError("no name")
    return value


BY_NAME = Ordering(column="name", descending=False, parse=name_of_cursor)


@extend_schema_field(OpenApiTypes.STR)
class CommaSeparated(serializers.Field[list[str], str, Any, Any]):
    """Several values of a filter: any of them counts."""

    default_error_messages = {
        "unknown": "One of these is not known.",
        "max_length": "This is too long.",
    }

    def __init__(self, *, choices: Collection[str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices

    def to_internal_value(self, data: str) -> list[str]:
        if len(data) > 1000:
            self.fail("max_length")
        values = data.split(",")
        if self.choices is not None and not set(values) <= set(self.choices):
            self.fail("unknown")
        return values


@extend_schema_field(OpenApiTypes.STR)
class PriceParameter(serializers.Field[int, str, Any, Any]):
    """A decimal amount in the store's currency."""

    default_error_messages = {"not_an_amount": "Give a decimal amount such as 19.99."}

    def to_internal_value(self, data: str) -> int:
        try:
            minor = Money.parse(data, settings.STORE_CURRENCY).minor
        except NotAnAmount:
            self.fail("not_an_amount")
        if not 0 <= minor <= LARGEST_PRICE:
            self.fail("not_an_amount")
        return minor


class FilteredByAttributes(PageQuery):
    """A list that takes `filter[attributes.CODE]`, of numbers and dates also `[gte]` and `[lte]`.

    What they mean is known to `attribute_filters`: this reads only what never changes.
    """

    def to_internal_value(self, data: Mapping[str, str]) -> Any:
        named = {name: match for name in data if (match := ATTRIBUTE.fullmatch(name))}
        values = super().to_internal_value(
            {name: text for name, text in data.items() if name not in named}
        )
        if len(named) > MOST_FILTERS or any(len(data[name]) > 1000 for name in named):
            raise serializers.ValidationError({next(iter(named)): ["This is too much."]})
        values["attributes"] = tuple(
            (name, match[1], match[2], data[name]) for name, match in named.items()
        )
        return values


def attribute_filters(given: Sequence[tuple[str, str, str | None, str]]) -> list[AttributeFilter]:
    """Return the filters that a query names, by parameter, code, bound and text.

    Raises ValidationError for an attribute that lists are not filtered by, and for a value that
    is not of its kind.
    """
    found = []
    for name, code, bound, text in given:
        kind = kind_of_filter(code)
        if kind is None or (bound and kind not in BOUNDED):
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail("There is no such filter.", code="unknown_field")]}
            )
        try:
            if bound == "gte":
                wanted = AttributeFilter(code, kind, at_least=_bound(kind, text))
            elif bound == "lte":
                wanted = AttributeFilter(code, kind, at_most=_bound(kind, text))
            else:
                values = [_value(kind, each) for each in text.split(",")]
                wanted = AttributeFilter(code, kind, values)
        except ValueError as error:
            raise serializers.ValidationError(
                {name: [f"This is not of the attribute's kind, {kind}."]}
            ) from error
        found.append(wanted)
    return found


def _value(kind: str, text: str) -> str | float | bool:
    if kind != Attribute.Kind.BOOLEAN:
        return _bound(kind, text)
    if text not in {"true", "false"}:
        raise ValueError("neither yes nor no")
    return text == "true"


def _bound(kind: str, text: str) -> str | float:
    match kind:
        case Attribute.Kind.NUMBER:
            number = float(text)
            if not isfinite(number):
                raise ValueError("no number")
            return number
        case Attribute.Kind.DATE:
            return date.fromisoformat(text).isoformat()
        case _:
            return text
