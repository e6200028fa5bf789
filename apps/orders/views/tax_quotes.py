"""What goods would be taxed somewhere, for staff who set taxes up."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.countries import COUNTRIES
from apps.kernel.money import Money
from apps.kernel.openapi import problems
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import (
    MoneyField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES
from apps.orders.pricing.percentages import percentage_of
from apps.orders.services.tax_quotes import Goods, TaxedCharge, TaxQuote, quote_taxes
from apps.orders.services.taxes import Applicable, Area


class TaxedGoodsEntry(StrictSerializer):
    """So many pieces at a price."""

    price = MoneyField(any_currency=True, help_text="Of one piece.")
    quantity = StrictIntegerField(min_value=1, max_value=LARGEST_QUANTITY, default=1)
    tax_class = StrictCharField(
        max_length=40,
        allow_blank=True,
        default="",
        help_text="Empty, or unknown: the default one.",
    )


class TaxedAddressEntry(StrictSerializer):
    """What of an address decides on taxes."""

    country = StrictCharField(min_length=2, max_length=2)
    region = StrictCharField(max_length=100, required=False, allow_blank=True)
    postal_code = StrictCharField(max_length=20, required=False, allow_blank=True)

    def validate_country(self, value: str) -> str:
        if value not in COUNTRIES:
            raise serializers.ValidationError("This is no country code.", code="unknown_country")
        return value


class TaxQuoteDraft(StrictSerializer):
    """Goods, where they go, and when: now, unless it is said."""

    lines = serializers.ListField(child=TaxedGoodsEntry(), min_length=1, max_length=MOST_LINES)
    shipping = MoneyField(any_currency=True, allow_null=True, default=None)
    address = TaxedAddressEntry()
    at = serializers.DateTimeField(required=False)


class QuotedTaxDocument(serializers.Serializer[Any]):
    """One tax on one charge."""

    code = serializers.CharField()
    name = serializers.CharField()
    percentage = serializers.CharField()
    amount = MoneyField()


class TaxedChargeDocument(serializers.Serializer[Any]):
    """What a line, or the parcel, costs with and without tax."""

    tax_class = serializers.CharField(help_text="The class that counted.")
    subtotal = MoneyField(help_text="The prices as they were given.")
    net = MoneyField()
    tax = MoneyField()
    total = MoneyField()
    taxes = QuotedTaxDocument(many=True)


class TaxTotalDocument(serializers.Serializer[Any]):
    """All of one tax, and what bears it."""

    code = serializers.CharField()
    percentage = serializers.CharField()
    net = MoneyField()
    amount = MoneyField()


class FoundZoneDocument(serializers.Serializer[Any]):
    """The zone, and the area of it that the address is in."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prices_include_tax = serializers.BooleanField()
    country = serializers.CharField(allow_blank=True)
    region = serializers.CharField(allow_blank=True)
    postal_prefix = serializers.CharField(allow_blank=True)
    found_by = serializers.CharField(help_text="postal_prefix, region, country or rest.")


class TaxRoundingDocument(serializers.Serializer[Any]):
    """How amounts of this currency become whole."""

    mode = serializers.CharField(help_text="half_up or half_even.")
    tax = serializers.CharField(help_text="Rounded for each line, or once for the total.")


class TaxQuoteDocument(serializers.Serializer[Any]):
    """Taxes, and why: null instead of a zone means that nothing is taxed there."""

    zone = FoundZoneDocument(allow_null=True)
    rounding = TaxRoundingDocument()
    lines = TaxedChargeDocument(many=True)
    shipping = TaxedChargeDocument(allow_null=True)
    taxes = TaxTotalDocument(many=True)
    net = MoneyField()
    tax = MoneyField()
    total = MoneyField()


class TaxQuotes(APIView):
    """Trying taxes out."""

    permission_classes = (staff_with("orders.view_taxrate"),)

    @extend_schema(
        operation_id="tax_quotes_create",
        request=TaxQuoteDraft,
        responses={200: TaxQuoteDocument, **problems(400, 401, 403, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Tell what goods would be taxed at an address, by which zone and rates. Keeps nothing.

        422 `currency_mismatch`, `not_an_amount`.
        """
        draft = TaxQuoteDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        asked = draft.validated_data
        quoted = quote_taxes(
            goods=[Goods(**line) for line in asked["lines"]],
            shipping=asked["shipping"],
            address=asked["address"],
            at=asked.get("at") or timezone.now(),
        )
        return Response(_document(quoted))


def _document(quoted: TaxQuote) -> dict[str, Any]:
    currency = quoted.quote.currency

    def money(minor: int) -> dict[str, str]:
        return {"amount": Money(minor, currency).amount, "currency": currency}

    def charged(each: TaxedCharge) -> dict[str, Any]:
        charge = each.charge
        return {
            "tax_class": each.tax_class,
            "subtotal": money(charge.subtotal),
            "net": money(charge.net),
            "tax": money(charge.tax),
            "total": money(charge.total),
            "taxes": [
                {
                    "code": tax.rate.code,
                    "name": quoted.found.names[each.tax_class, tax.rate.code],
                    "percentage": percentage_of(tax.rate.ppm),
                    "amount": money(tax.amount),
                }
                for tax in charge.taxes
            ],
        }

    total = quoted.quote.totals.grand_total.minor
    tax = sum(each.amount for each in quoted.quote.taxes)
    return {
        "zone": _zone(quoted.found),
        "rounding": {"mode": quoted.quote.rounding.mode, "tax": quoted.quote.rounding.tax},
        "lines": [charged(each) for each in quoted.goods],
        "shipping": charged(quoted.parcel) if quoted.parcel else None,
        "taxes": [
            {
                "code": each.rate.code,
                "percentage": percentage_of(each.rate.ppm),
                "net": money(each.net),
                "amount": money(each.amount),
            }
            for each in quoted.quote.taxes
        ],
        "net": money(total - tax),
        "tax": money(tax),
        "total": money(total),
    }


def _zone(found: Applicable) -> dict[str, Any] | None:
    if found.area is None:
        return None
    return {
        "id": found.zone_id,
        "name": found.taxes.zone,
        "prices_include_tax": found.taxes.included,
        "country": found.area.country,
        "region": found.area.region,
        "postal_prefix": found.area.postal_prefix,
        "found_by": _found_by(found.area),
    }


def _found_by(area: Area) -> str:
    narrowed = ("postal_prefix", "region", "country")
    return next((name for name in narrowed if getattr(area, name)), "rest")
