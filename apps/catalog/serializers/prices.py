"""The documents of prices, price lists and the price history."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.catalog.models import Price
from apps.catalog.models.prices import MOST_PIECES
from apps.kernel.money import Money
from apps.kernel.pagination import Page
from apps.kernel.serializers import (
    MoneyField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)


class PriceEntry(StrictSerializer):
    """A price in a list, or without one a sale (with an end) or a new regular price."""

    price_list = StrictCharField(
        max_length=40, allow_null=True, default=None, help_text="The list's code."
    )
    min_quantity = StrictIntegerField(
        min_value=1, max_value=MOST_PIECES, default=1, help_text="It applies from so many on."
    )
    price = MoneyField(any_currency=True, help_text="In the list's currency, or the store's.")
    compare_at_price = MoneyField(any_currency=True, allow_null=True, default=None)
    valid_from = serializers.DateTimeField(
        allow_null=True, default=None, help_text="Null: from now on."
    )
    valid_until = serializers.DateTimeField(
        allow_null=True, default=None, help_text="At this moment it is no more valid."
    )


class VariantPrices(StrictSerializer):
    """All prices of a variant beside its own."""

    prices = serializers.ListField(child=PriceEntry(), max_length=200)


class VariantPricesDocument(serializers.Serializer[Any]):
    """What a variant costs, now and later; what has ended is in the price history."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    regular_price = MoneyField(allow_null=True, help_text="Is set with the product.")
    compare_at_price = MoneyField(allow_null=True)
    prices = PriceEntry(many=True)


class PriceRow(PriceEntry):
    """A price of a SKU. Without list and dates it is the regular one; null takes one away."""

    sku = StrictCharField(max_length=64)
    price = MoneyField(any_currency=True, allow_null=True)


POLICIES = ("reject_everything", "reject_failed_rows")


class PriceRows(StrictSerializer):
    """Prices of many SKUs."""

    error_policy = serializers.ChoiceField(
        choices=POLICIES,
        default=POLICIES[0],
        help_text="Whether one row that is refused keeps all from being written, or itself alone.",
    )
    rows = serializers.ListField(child=PriceRow(), min_length=1, max_length=500)


class RowResult(serializers.Serializer[Any]):
    """What became of a row."""

    row = serializers.IntegerField(help_text="Counted from 0.")
    status = serializers.ChoiceField(choices=["written", "refused", "not_written"])
    code = serializers.CharField(allow_null=True, help_text="Why it was refused.")
    detail = serializers.CharField(allow_null=True)
    pointer = serializers.CharField(allow_null=True, help_text="Where in the row.")


class RowResults(serializers.Serializer[Any]):
    """What became of all rows, in their order."""

    written = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = RowResult(many=True)


class PriceChangeDocument(serializers.Serializer[Any]):
    """What a variant cost from one moment until another; the second is null while it counts."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    price = MoneyField(allow_null=True, help_text="Null: it was not for sale.")
    compare_at_price = MoneyField(allow_null=True)
    lowest_price_30_days = MoneyField(
        allow_null=True, help_text="The lowest one in the 30 days before, where it was reduced."
    )
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    price_list = serializers.CharField(
        required=False, allow_null=True, help_text="For staff: its code. Null: what everybody paid."
    )
    min_quantity = serializers.IntegerField(required=False, help_text="For staff.")


class PriceHistoryPage(Page):
    """A page of a price history."""

    results = PriceChangeDocument(many=True)


def price_change_document(row: dict[str, Any], *, for_staff: bool) -> dict[str, Any]:
    """Return the document of a row of `selectors.prices.price_history`."""
    document = {
        "variant_id": row["variant_id"],
        "sku": row["sku"],
        "price": money_of(row["amount_minor"], row["currency"]),
        "compare_at_price": money_of(row["compare_at_minor"], row["currency"]),
        "lowest_price_30_days": money_of(row["lowest_minor"], row["currency"]),
        "valid_from": row["at"],
        "valid_until": row["until"],
    }
    if for_staff:
        document |= {"price_list": row["price_list_code"], "min_quantity": row["min_quantity"]}
    return document


def money_of(minor: int | None, currency: str) -> dict[str, str] | None:
    """Return an amount as documents show it."""
    if minor is None:
        return None
    money = Money(minor, currency)
    return {"amount": money.amount, "currency": currency}


def variant_prices_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.prices.variant_with_prices`."""
    return {
        "variant_id": row["id"],
        "sku": row["sku"],
        "regular_price": money_of(row["price_minor"], row["currency"]),
        "compare_at_price": money_of(row["compare_at_minor"], row["currency"]),
        "prices": [_entry(price) for price in row["prices"]],
    }


def _entry(price: Price) -> dict[str, Any]:
    currency = price.price_list.currency if price.price_list else settings.STORE_CURRENCY
    return {
        "price_list": price.price_list.code if price.price_list else None,
        "min_quantity": price.min_quantity,
        "price": money_of(price.amount_minor, currency),
        "compare_at_price": money_of(price.compare_at_minor, currency),
        "valid_from": price.valid_from,
        "valid_until": price.valid_until,
    }
