"""Bringing goods back over HTTP: what shoppers ask and see."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.pagination import PageQuery, page_of, read_query
from apps.kernel.serializers import StrictSerializer
from apps.orders.models import Return
from apps.orders.selectors.orders import order_of
from apps.orders.selectors.returns import eligibility_of, return_of, whole_returns
from apps.orders.serializers.returns import (
    REASONS,
    EligibilityDocument,
    ReturnDocument,
    ReturnDraft,
    ReturnPage,
    ReturnReasonList,
    eligibility_document,
    return_document,
)
from apps.orders.services import returns
from apps.orders.states import ReturnReason
from apps.orders.views.holder import ORDER_TOKEN, order_holder
from apps.orders.views.return_lists import NEWEST_FIRST, filled


class NothingToSay(StrictSerializer):
    """An empty object."""


def shown_return(return_id: UUID, *, status: int = 200) -> Response:
    """Return the answer that shows a return."""
    [found] = whole_returns(Return.objects.filter(pk=return_id))
    return Response(return_document(found), status=status)


def read_wanted(lines: list[dict[str, Any]]) -> list[returns.Wanted]:
    """Return what a draft's lines say."""
    return [
        returns.Wanted(line["order_line_id"], line["quantity"], ReturnReason(line["reason"]))
        for line in lines
    ]


class ReturnReasons(APIView):
    """Why goods may come back."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="return_reasons_list", responses={200: ReturnReasonList, **problems(400)}
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [{"code": code, "name": name} for code, name in REASONS]})


class ReturnEligibility(APIView):
    """What of an order can be brought back at this moment."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_return_eligibility",
        parameters=[ORDER_TOKEN],
        responses={200: EligibilityDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        order = order_of(holder=order_holder(request), order_id=order_id)
        return Response(eligibility_document(eligibility_of(order)))


class OrderReturns(APIView):
    """Ask to bring goods of an order back."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_returns_create",
        parameters=[ORDER_TOKEN, IDEMPOTENCY_KEY],
        request=ReturnDraft,
        responses={201: ReturnDocument, **problems(400, 401, 403, 404, 409, 422)},
    )
    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        """Ask for it. 409 `not_returnable` or `more_than_bought` when it cannot come back."""
        draft = ReturnDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        found = returns.request_return(
            holder=order_holder(request),
            order_id=order_id,
            wanted=read_wanted(draft.validated_data["lines"]),
            comment=draft.validated_data["comment"],
        )
        response = shown_return(found.pk, status=201)
        response["Location"] = f"/api/v1/returns/{found.pk}"
        return response


class MyReturns(APIView):
    """What I bring back."""

    @extend_schema(
        operation_id="users_me_returns",
        parameters=[PageQuery],
        responses={200: ReturnPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show my returns, newest first."""
        query = read_query(request, PageQuery)
        rows = Return.objects.filter(order__customer_id=cast("UUID", request.user.pk))
        page = page_of(
            rows.values("id", "requested_at"), ordering=NEWEST_FIRST, query=query, request=request
        )
        return Response(filled(page))


class OneReturn(APIView):
    """A return."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="returns_retrieve",
        parameters=[ORDER_TOKEN],
        responses={200: ReturnDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, return_id: UUID) -> Response:
        return shown_return(return_of(holder=order_holder(request), return_id=return_id).pk)


class ReturnCancellations(APIView):
    """Keep the goods after all."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="return_cancellations_create",
        parameters=[ORDER_TOKEN],
        request=NothingToSay,
        responses={201: ReturnDocument, **problems(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        """Take a return back before the goods have arrived; else 409 `return_status_conflict`."""
        NothingToSay(data=request.data or {}).is_valid(raise_exception=True)
        returns.cancel_return(holder=order_holder(request), return_id=return_id)
        return shown_return(return_id, status=201)
