"""What runs low, over HTTP."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.low_stock import low_stock, reorder_points
from apps.catalog.serializers.low_stock import LowStockPage, ReorderPointPage, ReorderPoints
from apps.catalog.serializers.parameters import name_of_cursor
from apps.catalog.services.low_stock import set_reorder_points
from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with

BY_SKU = Ordering(column="sku", descending=False, parse=name_of_cursor)
LATEST_FIRST = Ordering(column="since", descending=True, parse=datetime.fromisoformat)


class WhatIsLow(APIView):
    """What has run low."""

    permission_classes = (staff_with("catalog.view_lowstock"),)

    @extend_schema(
        operation_id="inventory_low_stock_list",
        parameters=[PageQuery],
        responses={200: LowStockPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List what has run low, the latest first. It is looked at every ten minutes."""
        query = read_query(request, PageQuery)
        page = page_of(low_stock(), ordering=LATEST_FIRST, query=query, request=request)
        page["results"] = [_of_variant(row) for row in page["results"]]
        return Response(page)


class AllReorderPoints(APIView):
    """With how few pieces SKUs count as low."""

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "PUT"
        return [staff_with(f"catalog.{'change' if writes else 'view'}_reorderpoint")()]

    @extend_schema(
        operation_id="inventory_reorder_points_list",
        parameters=[PageQuery],
        responses={200: ReorderPointPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the SKUs that have a number of their own, by SKU. All others have the store's."""
        query = read_query(request, PageQuery)
        page = page_of(reorder_points(), ordering=BY_SKU, query=query, request=request)
        page["results"] = [_of_variant(row) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="inventory_reorder_points_update",
        request=ReorderPoints,
        responses={200: ReorderPoints, **problems(400, 401, 403, 404, 413, 415)},
    )
    def put(self, request: Request) -> Response:
        """Set the reorder points of some SKUs. 404 `unknown_variant` with those nothing has."""
        document = ReorderPoints(data=request.data)
        document.is_valid(raise_exception=True)
        lines = document.validated_data["lines"]
        set_reorder_points(lines=[(line["sku"], line["pieces"]) for line in lines])
        return Response({"lines": lines})


def _of_variant(row: dict[str, Any]) -> dict[str, Any]:
    return {"variant_id": row["id"], **{name: row[name] for name in row if name != "id"}}
