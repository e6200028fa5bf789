"""The papers of the warehouse over HTTP: adjustments and counts."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.ledger import adjusted_lines
from apps.catalog.selectors.stock_counts import counts, whole_counts
from apps.catalog.serializers.warehouse import (
    AdjustmentDocument,
    AdjustmentDraft,
    CountDocument,
    CountDraft,
    CountPage,
    count_document,
)
from apps.catalog.services.adjustments import adjust_by, adjust_to
from apps.catalog.services.counts import UnknownStockCount, count_stock
from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class Adjustments(APIView):
    """Corrections of the books."""

    permission_classes = (staff_with("catalog.change_stock"),)

    @extend_schema(
        operation_id="inventory_adjustments_create",
        parameters=[IDEMPOTENCY_KEY],
        request=AdjustmentDraft,
        responses={
            201: AdjustmentDocument,
            **problems(400, 401, 403, 404, 409, 413, 415, 422),
        },
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Correct several balances of a location, by a number or to a number: all or none.

        404 `unknown_variant` with the SKUs that nothing has, 409 `stock_is_reserved` with those of
        which orders were promised more than would be left.
        """
        draft = AdjustmentDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        wanted = draft.validated_data
        deltas = "delta" in wanted["lines"][0]
        adjust, number = (adjust_by, "delta") if deltas else (adjust_to, "on_hand")
        document_id = adjust(
            location=wanted["location"],
            lines=[(line["sku"], line[number]) for line in wanted["lines"]],
            reason=wanted["reason"],
            actor_id=cast("UUID", request.user.pk),
        )
        document = {
            "id": document_id,
            "location": wanted["location"],
            "reason": wanted["reason"],
            "lines": adjusted_lines(document_id=document_id),
        }
        return Response(document, status=201)


class StockCounts(APIView):
    """What was counted."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"catalog.{'add' if adds else 'view'}_stockcount")()]

    @extend_schema(
        operation_id="stock_counts_list",
        parameters=[PageQuery],
        responses={200: CountPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the counts, newest first."""
        query = read_query(request, PageQuery)
        page = page_of(counts(), ordering=NEWEST_FIRST, query=query, request=request)
        page["results"] = [count_document(row) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="stock_counts_create",
        parameters=[IDEMPOTENCY_KEY],
        request=CountDraft,
        responses={201: CountDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Put the books right by what was found: all lines or none. Refusals as adjustments'."""
        draft = CountDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        wanted = draft.validated_data
        count = count_stock(
            location=wanted["location"],
            lines=[(line["sku"], line["counted"]) for line in wanted["lines"]],
            reason=wanted["reason"],
            actor_id=cast("UUID", request.user.pk),
        )
        headers = {"Location": f"{request.path}/{count.pk}"}
        return Response(_count(count.pk), status=201, headers=headers)


class OneStockCount(APIView):
    """One count."""

    permission_classes = (staff_with("catalog.view_stockcount"),)

    @extend_schema(
        operation_id="stock_counts_retrieve",
        responses={200: CountDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, count_id: UUID) -> Response:
        """Show a count with its lines."""
        return Response(_count(count_id))


def _count(count_id: UUID) -> dict[str, Any]:
    row = whole_counts().filter(pk=count_id).first()
    if row is None:
        raise UnknownStockCount("There is no such count.")
    return count_document(row)
