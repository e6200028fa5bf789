"""Whose prices a request is about."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request

from apps.catalog.selectors.products import Buyer
from apps.kernel.serializers import CurrencyField, StrictSerializer


class BuyerQuery(StrictSerializer):
    """In which currency prices are wanted. What has none in it shows null and cannot be bought."""

    currency = CurrencyField(
        required=False, max_length=3, help_text="ISO 4217; the store's own if it is left out."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse to sort and filter by price in another currency than the store's."""
        named = {"filter[price][gte]", "filter[price][lte]"} & attrs.keys()
        if attrs.get("sort") in {"price", "-price"}:
            named.add("sort")
        if attrs.get("currency", settings.STORE_CURRENCY) != settings.STORE_CURRENCY and named:
            fault = serializers.ErrorDetail(
                "Only in the store's currency.", code="store_currency_only"
            )
            raise serializers.ValidationError({name: [fault] for name in sorted(named)})
        return super().validate(attrs)


def buyer_of(request: Request, query: Mapping[str, Any]) -> Buyer:
    """Return who asks, as far as prices depend on it: the currency and the customer group."""
    return Buyer(
        currency=query.get("currency", settings.STORE_CURRENCY),
        customer_group_id=getattr(request.user, "customer_group_id", None),
    )
