"""The prices of variants, and what they were, over HTTP."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.prices import price_history, shown_to_everybody, variant_with_prices
from apps.catalog.selectors.products import product_id_of
from apps.catalog.serializers.prices import (
    POLICIES,
    PriceHistoryPage,
    PriceRow,
    PriceRows,
    RowResults,
    VariantPrices,
    VariantPricesDocument,
    price_change_document,
    variant_prices_document,
)
from apps.catalog.services.prices.writing import PriceDraft, replace_prices, set_prices
from apps.catalog.services.products import UnknownProduct
from apps.catalog.services.stock import UnknownVariant
from apps.catalog.views.buyers import BuyerQuery
from apps.catalog.views.products import KEY
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.converters import reference_of
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import is_staff_with, staff_with
from apps.kernel.serializers import StrictSerializer


class PriceHistory(APIView):
    """What a product cost, and when."""

    admits_api_keys = True

    permission_classes = (AllowAny,)

    class PriceHistoryQuery(PageQuery, BuyerQuery):
        """Which part of the history."""

        def get_fields(self) -> dict[str, serializers.Field]:
            return super().get_fields() | {"filter[variant]": serializers.UUIDField(required=False)}

    @extend_schema(
        operation_id="products_price_history",
        parameters=[KEY, PriceHistoryQuery],
        responses={200: PriceHistoryPage, **problems(400, 401, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        """Show what each variant cost for everybody in the last 90 days, the newest first.

        In one currency, the store's unless another is named. Staff see everything since ever: also
        what price lists said, and all currencies unless one is named.
        """
        query = read_query(request, self.PriceHistoryQuery)
        staff = is_staff_with(request, "catalog.view_pricechange")
        product_id = product_id_of(reference=reference_of(key) or "", published_only=not staff)
        if product_id is None:
            raise UnknownProduct("There is no such product.")
        rows = price_history(product_id=product_id)
        if not staff:
            currency = query.get("currency", settings.STORE_CURRENCY)
            rows = shown_to_everybody(rows, currency=currency)
        elif "currency" in query:
            rows = rows.filter(currency=query["currency"])
        if "filter[variant]" in query:
            rows = rows.filter(variant=query["filter[variant]"])
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        page["results"] = [price_change_document(row, for_staff=staff) for row in page["results"]]
        return cacheable(Response(page), request)


class PricesOfVariant(APIView):
    """The prices of a variant beside its own."""

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "PUT"
        return [staff_with(f"catalog.{'change' if writes else 'view'}_price")()]

    @extend_schema(
        operation_id="variant_prices_list",
        responses={200: VariantPricesDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, variant_id: UUID) -> Response:
        """Show what counts now and later. The ETag is that of the product."""
        return self._rendered(variant_id)

    @extend_schema(
        operation_id="variant_prices_replace",
        parameters=[IF_MATCH],
        request=VariantPrices,
        responses={
            200: VariantPricesDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    def put(self, request: Request, variant_id: UUID) -> Response:
        """Replace them; what is not named ends now. 409 `prices_overlap`.

        422 `no_such_price_list`, `price_in_other_currency`, `compare_at_not_higher`,
        `ends_before_it_begins`, `price_is_over`, `not_a_scheduled_price`,
        `quantity_price_needs_list`.
        """
        wanted = VariantPrices(data=request.data)
        wanted.is_valid(raise_exception=True)
        replace_prices(
            variant_id=variant_id,
            drafts=[_draft(entry) for entry in wanted.validated_data["prices"]],
            expected_version=expected_version(request),
        )
        return self._rendered(variant_id)

    def _rendered(self, variant_id: UUID) -> Response:
        row = variant_with_prices(variant_id=variant_id)
        if row is None:
            raise UnknownVariant("There is no such variant.")
        return tagged(Response(variant_prices_document(row)), version=row["version"])


class BulkPrices(APIView):
    """Prices of many variants at once."""

    permission_classes = (staff_with("catalog.change_price"),)

    class Envelope(StrictSerializer):
        """The rows before each is looked at."""

        error_policy = serializers.ChoiceField(choices=POLICIES, default=POLICIES[0])
        rows = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=500)

    @extend_schema(
        operation_id="prices_bulk",
        request=PriceRows,
        responses={200: RowResults, **problems(400, 401, 403, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Set prices by SKU; others stay. Doing it again changes nothing.

        Always 200: what was refused, and why, is told row by row. With `reject_everything` one
        refused row leaves all `not_written`.
        """
        envelope = self.Envelope(data=request.data)
        envelope.is_valid(raise_exception=True)
        documents = [PriceRow(data=row) for row in envelope.validated_data["rows"]]
        valid = {n: each.validated_data for n, each in enumerate(documents) if each.is_valid()}
        all_or_nothing = envelope.validated_data["error_policy"] == POLICIES[0]
        refusals = {}
        if len(valid) == len(documents) or not all_or_nothing:
            refusals = set_prices(
                rows={n: (row["sku"], _draft(row)) for n, row in valid.items()},
                all_or_nothing=all_or_nothing,
            )
        kept_back = all_or_nothing and (refusals or len(valid) < len(documents))
        results = []
        for number, document in enumerate(documents):
            result = dict.fromkeys(("code", "detail", "pointer"))
            if number in refusals:
                result |= {"code": refusals[number].code, "detail": refusals[number].detail}
            elif number not in valid:
                result |= _first_fault(document.errors)
            status = "refused" if result["code"] else "not_written" if kept_back else "written"
            results.append({"row": number, "status": status, **result})
        counts = Counter(result["status"] for result in results)
        return Response(
            {"written": counts["written"], "refused": counts["refused"], "results": results}
        )


def _draft(entry: Mapping[str, Any]) -> PriceDraft:
    return PriceDraft(
        price=entry["price"],
        price_list=entry["price_list"],
        min_quantity=entry["min_quantity"],
        compare_at=entry["compare_at_price"],
        valid_from=entry["valid_from"],
        valid_until=entry["valid_until"],
    )


def _first_fault(errors: Any) -> dict[str, str]:
    field, faults = next(iter(errors.items()))
    return {"code": faults[0].code, "detail": str(faults[0]), "pointer": f"/{field}"}


def _number(value: object) -> int:
    if type(value) is not int or not 0 < value < 2**63:
        raise ValueError("no number")
    return value


NEWEST_FIRST = Ordering("at", True, datetime.fromisoformat, _number)  # noqa: FBT003 - descending
