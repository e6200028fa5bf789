"""Cursor pagination by key: as fast on the last page as on the first, stable under writes."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from apps.kernel.serializers import StrictSerializer

DEFAULT_LIMIT, LARGEST_LIMIT, LARGEST_COUNT = 25, 100, 10_000


class PageQuery(StrictSerializer):
    """The query parameters of every list; a view adds its own filters in a subclass."""

    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, default=DEFAULT_LIMIT)
    after = serializers.CharField(required=False, max_length=2000)
    before = serializers.CharField(required=False, max_length=2000)
    include = serializers.ChoiceField(choices=["count"], required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "after" in attrs and "before" in attrs:
            raise ValidationError({"before": ["Use after or before, not both."]})
        validated: dict[str, Any] = super().validate(attrs)
        return validated


class Page(serializers.Serializer[Any]):
    """What every page tells; a list adds its `results` in a subclass."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False, help_text="With include=count.")
    count_capped = serializers.BooleanField(required=False, help_text="With include=count.")


def _uuid(value: Any) -> UUID:
    return UUID(str(value))


@dataclass(frozen=True, slots=True)
class Ordering:
    """One sortable column, made unique by `id`.

    `parse` turns what a cursor holds into the column's value, `parse_id` into that of `id`. They
    raise ValueError for what cannot be one.
    """

    column: str
    descending: bool
    parse: Callable[[Any], Any]
    parse_id: Callable[[Any], Any] = _uuid


def read_query(request: Request, document: type[StrictSerializer]) -> dict[str, Any]:
    """Return the validated query parameters.

    Raises ValidationError, also for an unknown parameter and for one that is given twice.
    """
    repeated = [
        name for name in request.query_params if len(request.query_params.getlist(name)) > 1
    ]
    if repeated:
        raise ValidationError(
            {name: [serializers.ErrorDetail("Give it once.", code="repeated")] for name in repeated}
        )
    return dict(_validated(document, tuple(request.query_params.items())))


@lru_cache(maxsize=256)
def _validated(
    document: type[StrictSerializer], parameters: tuple[tuple[str, str], ...]
) -> Mapping[str, Any]:
    # Making a serializer takes longer than using it, and most lists are asked for again and again.
    query = document(data=dict(parameters))
    query.is_valid(raise_exception=True)
    return MappingProxyType(query.validated_data)


def page_of(
    rows: QuerySet[Any, Any], *, ordering: Ordering, query: Mapping[str, Any], request: Request
) -> dict[str, Any]:
    """Return `{"results", "next", "previous"}` of dictionaries that have `id` and the column.

    `rows` is a `.values()` queryset; its order and slice are set here. Costs one statement, two
    with `include=count`. Raises ValidationError for a malformed cursor.
    """
    limit: int = query["limit"]
    backwards = "before" in query
    cursor = query.get("before") or query.get("after")
    counted = rows
    if cursor:
        rows = rows.filter(_beyond(cursor, ordering, backwards=backwards))
    sign = "-" if ordering.descending != backwards else ""
    found = list(rows.order_by(f"{sign}{ordering.column}", f"{sign}id")[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    if backwards:
        found.reverse()
    has_next = more if not backwards else True
    has_previous = more if backwards else bool(cursor)
    page: dict[str, Any] = {
        "results": found,
        "next": _link(request, "after", found[-1], ordering) if found and has_next else None,
        "previous": _link(request, "before", found[0], ordering)
        if found and has_previous
        else None,
    }
    if query.get("include") == "count":
        count = counted.order_by()[: LARGEST_COUNT + 1].count()
        page["count"] = min(count, LARGEST_COUNT)
        page["count_capped"] = count > LARGEST_COUNT
    return page


def _beyond(cursor: str, ordering: Ordering, *, backwards: bool) -> Q:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"==")
        if b"\\u0000" in raw:
            raise ValueError("NUL")  # which PostgreSQL's text cannot hold
        value, last_id = orjson.loads(raw)
        value, last_id = ordering.parse(value), ordering.parse_id(last_id)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        name = "before" if backwards else "after"
        raise ValidationError(
            {name: [serializers.ErrorDetail("This is no cursor of this list.", code="cursor")]}
        ) from error
    side = "lt" if ordering.descending != backwards else "gt"
    # The first condition is implied by the second; alone it lets an index find the place.
    return Q(**{f"{ordering.column}__{side}e": value}) & (
        Q(**{f"{ordering.column}__{side}": value})
        | Q(**{ordering.column: value, f"id__{side}": last_id})
    )


def _link(request: Request, name: str, row: Mapping[str, Any], ordering: Ordering) -> str:
    raw = orjson.dumps([row[ordering.column], row["id"]])
    cursor = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    kept = {k: v for k, v in request.query_params.items() if k not in {"after", "before"}}
    return request.build_absolute_uri(f"{request.path}?{urlencode({**kept, name: cursor})}")
