"""How values stand in queries of the catalog."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kernel.money import Money, NotAnAmount

LARGEST_PRICE = 10**12


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
