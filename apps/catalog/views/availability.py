"""How available many variants are, over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.stock import stock_of
from apps.catalog.serializers.inventory import Availability, variant_document
from apps.catalog.serializers.parameters import CommaSeparated
from apps.kernel.conditional import cacheable
from apps.kernel.openapi import problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import is_staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer

MOST = 100


class AvailabilityBySku(APIView):
    """Stock by SKU."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    class SkuQuery(StrictSerializer):
        """Which SKUs, in whatever case."""

        sku = CommaSeparated(default=[], help_text="Up to 1,000 characters.")

    @extend_schema(
        operation_id="inventory_list",
        parameters=[SkuQuery],
        responses={200: Availability, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show how available SKUs are; staff see the numbers of every location."""
        query = read_query(request, self.SkuQuery)
        return cacheable(_answer(request, skus=query["sku"]), request)


class AvailabilityOfMany(APIView):
    """Stock of a whole cart or page."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    class Wanted(StrictSerializer):
        """Variants by id or by SKU."""

        variant_ids = serializers.ListField(
            child=serializers.UUIDField(), required=False, min_length=1, max_length=MOST
        )
        skus = serializers.ListField(
            child=StrictCharField(max_length=64), required=False, min_length=1, max_length=MOST
        )

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if len(attrs) != 1:
                raise serializers.ValidationError("Give variant_ids or skus.")
            return attrs

    @extend_schema(
        operation_id="inventory_availability",
        request=Wanted,
        responses={200: Availability, **problems(400, 401, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Show how available up to 100 variants are. Changes nothing."""
        wanted = self.Wanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        return _answer(request, **wanted.validated_data)


def _answer(request: Request, **wanted: Any) -> Response:
    staff = is_staff_with(request, "catalog.view_stock")
    rows = stock_of(**wanted, published_only=not staff)
    return Response(
        {
            "results": [
                {"product_id": product_id, **variant_document(variant, for_staff=staff)}
                for product_id, variant in rows
            ]
        }
    )
