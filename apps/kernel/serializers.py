"""What the API's documents have in common: strictness, money, the problem form."""

from collections.abc import Container, Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.kernel.money import CURRENCIES, Money, NotAnAmount


def _refuse_unknown(data: Mapping[Any, Any], known: Container[str]) -> None:
    unknown = sorted(str(name) for name in data if name not in known)
    if unknown:
        fault = serializers.ErrorDetail("There is no such field.", code="unknown_field")
        raise serializers.ValidationError({name: [fault] for name in unknown})


class StrictSerializer(serializers.Serializer[Any]):
    """A document in which an unknown field is an error, not a silent loss."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            _refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """Text that was text: numbers and booleans are not turned into strings."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A whole number that was one: no strings, no 1.0, no true."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """Yes or no: true or false, no strings, no numbers."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class CurrencyField(StrictCharField):
    """An ISO 4217 code that is in use."""

    default_error_messages = {"unknown_currency": "There is no such currency."}

    def to_internal_value(self, data: Any) -> str:
        currency = super().to_internal_value(data)
        if currency not in CURRENCIES:
            self.fail("unknown_currency")
        return currency


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "amount": {
                "type": "string",
                "pattern": r"^-?\d{1,13}(\.\d{1,3})?$",
                "example": "19.99",
            },
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "example": "USD"},
        },
        "required": ["amount", "currency"],
        "additionalProperties": False,
    }
)
class MoneyField(serializers.Field[Money, Any, Any, Any]):
    """`{"amount": "19.99", "currency": "USD"}`, not negative, in the store's currency or in any."""

    default_error_messages = {
        "invalid": "Money is an object with amount, a decimal string, and currency.",
        "not_an_amount": "This is no amount of that currency.",
        "negative": "The amount may not be negative.",
        "too_large": "The amount is too large.",
        "currency_mismatch": "The store sells in another currency.",
    }

    def __init__(self, *, any_currency: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.any_currency = any_currency

    def to_internal_value(self, data: Any) -> Money:
        if not isinstance(data, Mapping) or not {"amount", "currency"} <= set(data):
            self.fail("invalid")
        _refuse_unknown(data, {"amount", "currency"})
        amount, currency = data["amount"], data["currency"]
        if not isinstance(amount, str) or not isinstance(currency, str):
            self.fail("invalid")
        try:
            money = Money.parse(amount, currency)
        except NotAnAmount:
            self.fail("not_an_amount")
        if money.minor < 0:
            self.fail("negative")
        if money.minor > 10**12:
            self.fail("too_large")
        if currency != settings.STORE_CURRENCY and not self.any_currency:
            self.fail("currency_mismatch")
        return money

    def to_representation(self, value: Money) -> dict[str, str]:
        return {"amount": value.amount, "currency": value.currency}


class ProblemEntry(serializers.Serializer[Any]):
    """One fault of a request, by the place it was found."""

    pointer = serializers.CharField(help_text="JSON pointer into the body, or the parameter.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457 problem details, with the store's stable code."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField()
    errors = ProblemEntry(many=True)  # type: ignore[assignment]  # a document's field, not DRF's
