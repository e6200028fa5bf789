"""Whose prices a request is about."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.request import Request

from apps.catalog.selectors.products import Buyer
from apps.kernel.serializers import CurrencyField, StrictSerializer


class BuyerQuery(StrictSerializer):
    """In which currency prices are wanted. What has none in it shows null and cannot be bought."""

    currency = CurrencyField(
        required=False, max_length=3, help_text="ISO 4217; the store's own if it is left out."
    )


def buyer_of(request: Request, query: Mapping[str, Any]) -> Buyer:
    """Return who asks, as far as prices depend on it: the currency and the customer group."""
    return Buyer(
        currency=query.get("currency", settings.STORE_CURRENCY),
        customer_group_id=getattr(request.user, "customer_group_id", None),
    )
