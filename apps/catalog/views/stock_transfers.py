"""Transfers over HTTP."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import StockTransfer
from apps.catalog.selectors.stock_transfers import transfers, whole_transfers
from apps.catalog.serializers.parameters import CommaSeparated
from apps.catalog.serializers.warehouse import (
    ReceiptDraft,
    TransferDocument,
    TransferDraft,
    TransferPage,
    TransferPatch,
    transfer_document,
)
from apps.catalog.services.transfers import (
    Arrival,
    UnknownStockTransfer,
    change_transfer,
    draft_transfer,
    receive_transfer,
)
from apps.kernel.conditional import expected_version, tagged
from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class StockTransfers(APIView):
    """All transfers."""

    class TransferQuery(PageQuery):
        """Which of them."""

        def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
            statuses = StockTransfer.Status.values
            return {
                **super().get_fields(),
                "filter[status]": CommaSeparated(choices=statuses, required=False),
            }

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"catalog.{'add' if adds else 'view'}_stocktransfer")()]

    @extend_schema(
        operation_id="stock_transfers_list",
        parameters=[TransferQuery],
        responses={200: TransferPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List transfers, newest first."""
        query = read_query(request, self.TransferQuery)
        rows = transfers()
        if "filter[status]" in query:
            rows = rows.filter(status__in=query["filter[status]"])
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        page["results"] = [transfer_document(row) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="stock_transfers_create",
        parameters=[IDEMPOTENCY_KEY],
        request=TransferDraft,
        responses={201: TransferDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Write a transfer down. Nothing moves before it is sent."""
        draft = TransferDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        wanted = draft.validated_data
        transfer = draft_transfer(**{**wanted, "lines": _lines(wanted["lines"])})
        response = _rendered(transfer.pk, status=201)
        response["Location"] = f"{request.path}/{transfer.pk}"
        return response


class OneStockTransfer(APIView):
    """One transfer."""

    def get_permissions(self) -> list[BasePermission]:
        reads = self.request is None or self.request.method == "GET"
        return [staff_with(f"catalog.{'view' if reads else 'change'}_stocktransfer")()]

    @extend_schema(
        operation_id="stock_transfers_retrieve",
        responses={200: TransferDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Show a transfer with its lines."""
        return _rendered(transfer_id)

    @extend_schema(
        operation_id="stock_transfers_update",
        parameters=[IDEMPOTENCY_KEY, IF_MATCH],
        request=TransferPatch,
        responses={
            200: TransferDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    @idempotent
    def patch(self, request: Request, transfer_id: UUID) -> Response:
        """Change a draft, send it, or give it up.

        409 `not_enough_to_move` with the SKUs of which not so many free pieces lie there, and
        `stock_transfer_status_conflict` for what has left already.
        """
        changes = TransferPatch(data=request.data)
        changes.is_valid(raise_exception=True)
        wanted = changes.validated_data
        if "lines" in wanted:
            wanted["lines"] = _lines(wanted["lines"])
        change_transfer(
            transfer_id=transfer_id,
            changes=wanted,
            expected_version=expected_version(request),
            actor_id=cast("UUID", request.user.pk),
        )
        return _rendered(transfer_id)


class Receipts(APIView):
    """What arrives of a transfer."""

    permission_classes = (staff_with("catalog.change_stocktransfer"),)

    @extend_schema(
        operation_id="stock_transfer_receipts_create",
        parameters=[IDEMPOTENCY_KEY, IF_MATCH],
        request=ReceiptDraft,
        responses={
            201: TransferDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    @idempotent
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Take in what has arrived, in one or several parts.

        409 `more_than_was_sent` with the SKUs, `stock_transfer_status_conflict` unless it is on its
        way.
        """
        draft = ReceiptDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        receive_transfer(
            transfer_id=transfer_id,
            arrivals=[Arrival(**line) for line in draft.validated_data["lines"]],
            expected_version=expected_version(request),
            actor_id=cast("UUID", request.user.pk),
        )
        return _rendered(transfer_id, status=201)


def _lines(entries: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(entry["sku"], entry["quantity"]) for entry in entries]


def _rendered(transfer_id: UUID, *, status: int = 200) -> Response:
    row = whole_transfers().filter(pk=transfer_id).first()
    if row is None:
        raise UnknownStockTransfer("There is no such transfer.")
    return tagged(Response(transfer_document(row), status=status), version=row["version"])
