"""What staff do with returns, over HTTP."""

from typing import cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.pagination import PageQuery, page_of, read_query
from apps.kernel.permissions import PeopleOnly, RecentlyProven, staff_with
from apps.orders.models import Return
from apps.orders.serializers.returns import (
    InspectionDraft,
    RejectionDraft,
    ReturnDocument,
    ReturnPage,
)
from apps.orders.services import inspections, returns
from apps.orders.states import Resolution, ReturnStatus
from apps.orders.views.return_lists import NEWEST_FIRST, filled
from apps.orders.views.returns import NothingToSay, shown_return

STATUSES = [s.value for s in ReturnStatus]
REFUSALS = problems(400, 401, 403, 404, 409)


class Returns(APIView):
    """All returns."""

    permission_classes = (staff_with("orders.view_return"),)

    class ReturnQuery(PageQuery):
        """Newest first."""

        def get_fields(self) -> dict[str, serializers.Field]:
            return super().get_fields() | {
                "filter[status]": serializers.ChoiceField(choices=STATUSES, required=False)
            }

    @extend_schema(
        operation_id="returns_list",
        parameters=[
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 100, 25 unless given."),
            OpenApiParameter("after", OpenApiTypes.STR, description="A cursor: what follows it."),
            OpenApiParameter("before", OpenApiTypes.STR, description="A cursor: what precedes it."),
            OpenApiParameter("include", OpenApiTypes.STR, enum=["count"]),
            OpenApiParameter("filter[status]", OpenApiTypes.STR, enum=STATUSES),
        ],
        responses={200: ReturnPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        query = read_query(request, self.ReturnQuery)
        rows = Return.objects.values("id", "requested_at")
        if status := query.get("filter[status]"):
            rows = rows.filter(status=status)
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        return Response(filled(page))


class Approvals(APIView):
    """Let the goods of a return be sent."""

    permission_classes = (staff_with("orders.decide_return"),)

    @extend_schema(
        operation_id="return_approvals_create",
        request=NothingToSay,
        responses={201: ReturnDocument, **REFUSALS},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        NothingToSay(data=request.data or {}).is_valid(raise_exception=True)
        returns.approve_return(return_id=return_id)
        return shown_return(return_id, status=201)


class Rejections(APIView):
    """Refuse a return."""

    permission_classes = (staff_with("orders.decide_return"),)

    @extend_schema(
        operation_id="return_rejections_create",
        request=RejectionDraft,
        responses={201: ReturnDocument, **REFUSALS},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        draft = RejectionDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        returns.reject_return(return_id=return_id, reason=draft.validated_data["reason"])
        return shown_return(return_id, status=201)


class Receipts(APIView):
    """Take the parcel of a return in."""

    permission_classes = (staff_with("orders.inspect_return"),)

    @extend_schema(
        operation_id="return_receipts_create",
        request=NothingToSay,
        responses={201: ReturnDocument, **REFUSALS},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        NothingToSay(data=request.data or {}).is_valid(raise_exception=True)
        returns.receive_return(return_id=return_id)
        return shown_return(return_id, status=201)


class Inspections(APIView):
    """Say what was found: stock and money follow at once."""

    permission_classes = (staff_with("orders.inspect_return"), PeopleOnly, RecentlyProven)

    @extend_schema(
        operation_id="return_inspections_create",
        parameters=[IDEMPOTENCY_KEY],
        request=InspectionDraft,
        responses={201: ReturnDocument, **problems(400, 401, 403, 404, 409, 422)},
    )
    @idempotent
    def post(self, request: Request, return_id: UUID) -> Response:
        draft = InspectionDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        inspections.inspect_return(
            return_id=return_id,
            findings={
                line["line_id"]: inspections.Finding(
                    line["accepted"],
                    Resolution(line["resolution"]) if "resolution" in line else None,
                )
                for line in draft.validated_data["lines"]
            },
            refund_shipping=draft.validated_data["refund_shipping"],
            actor_id=cast("UUID", request.user.pk),
        )
        return shown_return(return_id, status=201)


class ReturnRefunds(APIView):
    """Send the money of a return again, after its refund has failed."""

    permission_classes = (staff_with("orders.refund_order"), PeopleOnly, RecentlyProven)

    @extend_schema(
        operation_id="return_refunds_create",
        request=NothingToSay,
        responses={201: ReturnDocument, **REFUSALS},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        NothingToSay(data=request.data or {}).is_valid(raise_exception=True)
        inspections.refund_again(return_id=return_id)
        return shown_return(return_id, status=201)
