"""What is asked of the search, and what it answers."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException

from apps.catalog.search.engine import MOST_HITS, Facets, FacetValue, Sort, Suggested
from apps.catalog.serializers.inventory import AVAILABILITY
from apps.catalog.serializers.parameters import CommaSeparated, PriceParameter
from apps.catalog.serializers.products import ProductBrief
from apps.kernel.money import format_minor
from apps.kernel.pagination import DEFAULT_LIMIT, LARGEST_LIMIT
from apps.kernel.serializers import MoneyField, StrictSerializer

LONGEST_QUERY = 200
MOST_ATTRIBUTES = 10
ATTRIBUTE = re.compile(r"filter\[attribute\]\[([^\[\]]{1,60})\]")
SORTS = Sort.__args__  # type: ignore[attr-defined]  # what the literal allows


class QueryTooLong(APIException):
    """Nobody looks for that much at once."""

    status_code = 400
    default_code = "query_too_long"
    default_detail = f"A query has at most {LONGEST_QUERY} characters."


class QueryText(serializers.CharField):
    """What somebody has typed; of more than it may be there is a problem of its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, default="", **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if len(text) > LONGEST_QUERY:
            raise QueryTooLong
        return text


@extend_schema_field(OpenApiTypes.STR)
class OffsetCursor(serializers.Field[int, str, Any, Any]):
    """The place where a page begins, as `next` and `previous` name it."""

    default_error_messages = {"cursor": "This is no cursor of this list."}

    def to_internal_value(self, data: str) -> int:
        try:
            offset = int(base64.urlsafe_b64decode(data.encode() + b"=="))
        except (binascii.Error, ValueError):
            self.fail("cursor")
        if not 0 <= offset < MOST_HITS:
            self.fail("cursor")
        return offset


def cursor_of(offset: int) -> str:
    """Return the cursor of a page that begins there."""
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


class SearchParameters(StrictSerializer):
    """What to look for, how to narrow it down, in which order."""

    q = QueryText(help_text=f"At most {LONGEST_QUERY} characters.")
    sort = serializers.ChoiceField(choices=SORTS, default="relevance")
    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, default=DEFAULT_LIMIT)
    after = OffsetCursor(default=0)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            **super().get_fields(),
            "filter[category]": serializers.CharField(
                required=False, max_length=160, help_text="Id or slug; with all below it."
            ),
            "filter[brand]": CommaSeparated(default=[], help_text="Slugs."),
            "filter[availability]": CommaSeparated(choices=AVAILABILITY, default=[]),
            "filter[price][gte]": PriceParameter(default=None),
            "filter[price][lte]": PriceParameter(default=None),
        }

    def to_internal_value(self, data: Mapping[str, str]) -> dict[str, Any]:
        attributes, others = {}, {}
        for name, value in data.items():
            if match := ATTRIBUTE.fullmatch(name):
                attributes[match[1]] = tuple(CommaSeparated().to_internal_value(value))
            else:
                others[name] = value
        if len(attributes) > MOST_ATTRIBUTES:
            raise serializers.ValidationError({"filter[attribute]": ["Ten of them at most."]})
        return {**super().to_internal_value(others), "attributes": attributes}


class SuggestionParameters(StrictSerializer):
    """What has been typed so far."""

    q = QueryText(help_text=f"At most {LONGEST_QUERY} characters.")
    limit = serializers.IntegerField(min_value=1, max_value=10, default=5)


class FacetValueDocument(serializers.Serializer[Any]):
    """A value of a filter and how many hits it would give."""

    value = serializers.CharField(help_text="What the filter takes.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field, not the field's own label
    count = serializers.IntegerField()


class PriceGroupDocument(serializers.Serializer[Any]):
    """Hits with a price from one amount up to, but not including, another."""

    minimum = MoneyField()
    below = MoneyField(allow_null=True)
    count = serializers.IntegerField()


class FacetsDocument(serializers.Serializer[Any]):
    """What hits can be narrowed by. A filter's own choice does not count for its own values."""

    categories = FacetValueDocument(many=True)
    brands = FacetValueDocument(many=True)
    availability = FacetValueDocument(many=True)
    prices = PriceGroupDocument(many=True)
    attributes = serializers.DictField(child=FacetValueDocument(many=True))


class SearchPage(serializers.Serializer[Any]):
    """A page of hits, and what is known of all of them."""

    results = ProductBrief(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    total = serializers.IntegerField()
    total_is_capped = serializers.BooleanField(help_text=f"There are more than {MOST_HITS}.")
    facets = FacetsDocument()
    did_you_mean = serializers.CharField(
        allow_null=True, help_text="The query put right; the results are for this."
    )
    redirect = serializers.CharField(
        allow_null=True, help_text="A path of the store: go there instead of showing results."
    )
    degraded = serializers.BooleanField(help_text="A simpler engine than usual has answered.")


class Suggestion(serializers.Serializer[Any]):
    """Something with a page of its own."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class SuggestionsDocument(serializers.Serializer[Any]):
    """What the text may become."""

    products = Suggestion(many=True)
    categories = Suggestion(many=True)
    brands = Suggestion(many=True)
    queries = serializers.ListField(child=serializers.CharField(), help_text="Asked by many.")
    degraded = serializers.BooleanField()


class AnalyticsParameters(StrictSerializer):
    """Of how many days, and how many queries."""

    days = serializers.IntegerField(min_value=1, max_value=90, default=7)
    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, default=DEFAULT_LIMIT)


class CountedQuery(serializers.Serializer[Any]):
    """What was looked for, how often, and how much was there the last time."""

    query = serializers.CharField()
    times = serializers.IntegerField()
    results = serializers.IntegerField()


class AnalyticsDocument(serializers.Serializer[Any]):
    """What is looked for. Queries that were asked fewer than five times are not named."""

    searches = serializers.IntegerField()
    top = CountedQuery(many=True)
    without_results = CountedQuery(many=True)


def facets_document(facets: Facets) -> dict[str, Any]:
    """Return the document of an engine's facets."""
    currency = settings.STORE_CURRENCY

    def money(minor: int | None) -> dict[str, str] | None:
        if minor is None:
            return None
        return {"amount": format_minor(minor, currency), "currency": currency}

    return {
        "categories": _values(facets.categories),
        "brands": _values(facets.brands),
        "availability": _values(facets.availability),
        "prices": [
            {
                "minimum": money(group.price_from),
                "below": money(group.price_below),
                "count": group.count,
            }
            for group in facets.prices
        ],
        "attributes": {code: _values(values) for code, values in facets.attributes.items()},
    }


def suggested_document(found: tuple[Suggested, ...]) -> list[dict[str, Any]]:
    """Return the documents of what an engine suggests."""
    return [{"id": each.id, "slug": each.slug, "name": each.name} for each in found]


def _values(values: tuple[FacetValue, ...]) -> list[dict[str, Any]]:
    return [{"value": v.value, "label": v.label, "count": v.count} for v in values]
