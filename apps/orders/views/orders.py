"""Orders over HTTP."""

from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import is_staff_with, staff_with
from apps.orders.models import Order
from apps.orders.selectors.orders import order_of, orders_of, whole
from apps.orders.serializers.annotations import OrderChanges
from apps.orders.serializers.orders import (
    CancellationDraft,
    OrderDocument,
    OrderEvents,
    OrderPage,
    PaymentRetry,
    order_document,
)
from apps.orders.services import checkout, orders
from apps.orders.services.annotations import normalised, tag_order
from apps.orders.states import OrderStatus
from apps.orders.views.holder import MAILED_TOKEN, ORDER_TOKEN, order_holder, order_reader


def _rendered(order: Order, *, status: int = 200, for_staff: bool = False) -> Response:
    [found] = whole([order])
    document = order_document(found, for_staff=for_staff)
    return tagged(Response(document, status=status), version=order.version)


class Orders(APIView):
    """The customer's orders; staff who may see orders see all."""

    admits_api_keys = True
    permission_classes = (IsAuthenticated,)

    class OrderQuery(PageQuery):
        """Newest first unless asked otherwise."""

        sort = serializers.ChoiceField(choices=["placed_at", "-placed_at"], default="-placed_at")

        def get_fields(self) -> dict[str, serializers.Field]:
            statuses = [s.value for s in OrderStatus]
            return super().get_fields() | {
                "filter[status]": serializers.ChoiceField(choices=statuses, required=False),
                "filter[tag]": serializers.CharField(required=False),
            }

    @extend_schema(
        operation_id="orders_list",
        parameters=[
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 100, 25 unless given."),
            OpenApiParameter("after", OpenApiTypes.STR, description="A cursor: what follows it."),
            OpenApiParameter("before", OpenApiTypes.STR, description="A cursor: what precedes it."),
            OpenApiParameter("include", OpenApiTypes.STR, enum=["count"]),
            OpenApiParameter("sort", OpenApiTypes.STR, enum=["placed_at", "-placed_at"]),
            OpenApiParameter(
                "filter[status]", OpenApiTypes.STR, enum=[s.value for s in OrderStatus]
            ),
            OpenApiParameter(
                "filter[tag]", OpenApiTypes.STR, description="For staff alone; as often written."
            ),
        ],
        responses={200: OrderPage, **problems(400, 401, 403, 422)},
    )
    def get(self, request: Request) -> Response:
        query = read_query(request, self.OrderQuery)
        holder = order_holder(request)
        rows = orders_of(holder=holder).values("id", "placed_at")
        if "filter[tag]" in query:
            if not holder.sees_all:
                raise PermissionDenied
            rows = rows.filter(tags__contains=[normalised(query["filter[tag]"])])
        if status := query.get("filter[status]"):
            rows = rows.filter(status=status)
        page = page_of(
            rows,
            ordering=Ordering(
                column="placed_at",
                descending=query["sort"].startswith("-"),
                parse=datetime.fromisoformat,
            ),
            query=query,
            request=request,
        )
        found = Order.objects.in_bulk([row["id"] for row in page["results"]])
        page["results"] = [
            order_document(each, for_staff=holder.sees_all)
            for each in whole(found[row["id"]] for row in page["results"])
        ]
        return Response(page)


class OneOrder(APIView):
    """An order."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        if self.request is not None and self.request.method == "PATCH":
            return [staff_with("orders.annotate_order")()]
        return [AllowAny()]

    @extend_schema(
        operation_id="orders_retrieve",
        parameters=[ORDER_TOKEN, MAILED_TOKEN],
        responses={200: OrderDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        holder = order_reader(request, order_id)
        order = order_of(holder=holder, order_id=order_id)
        return _rendered(order, for_staff=holder.sees_all)

    @extend_schema(
        operation_id="orders_partial_update",
        parameters=[IF_MATCH],
        request=OrderChanges,
        responses={200: OrderDocument, **problems(400, 401, 403, 404, 412, 422)},
    )
    def patch(self, request: Request, order_id: UUID) -> Response:
        """Replace the tags of an order. They are kept in small letters."""
        changes = OrderChanges(data=request.data)
        changes.is_valid(raise_exception=True)
        order = tag_order(
            order_id=order_id, version=expected_version(request), **changes.validated_data
        )
        return _rendered(order, for_staff=True)


class OrderTimeline(APIView):
    """An order's life so far."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_events_list",
        parameters=[ORDER_TOKEN, MAILED_TOKEN],
        responses={200: OrderEvents, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """Show an order's steps; whoever of the staff sees notes gets them in between."""
        order = order_of(holder=order_reader(request, order_id), order_id=order_id)
        events: list[dict[str, Any]] = [
            {"status": step.to_status, "at": step.at, "reason": step.reason}
            for step in order.history.order_by("id")
        ]
        if is_staff_with(request, "orders.view_ordernote"):
            events += [
                {
                    "status": None,
                    "at": note.at,
                    "reason": "",
                    "note": note.text,
                    "author_id": note.author_id,
                }
                for note in order.notes.order_by("at", "id")
            ]
        return Response({"results": sorted(events, key=itemgetter("at"))})


class Cancellations(APIView):
    """Cancel an order before it ships."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_cancellations_create",
        parameters=[ORDER_TOKEN, IF_MATCH, IDEMPOTENCY_KEY],
        request=CancellationDraft,
        responses={201: OrderDocument, **problems(400, 401, 404, 409, 412, 422)},
    )
    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        draft = CancellationDraft(data=request.data or {})
        draft.is_valid(raise_exception=True)
        holder = order_holder(request)
        order = orders.cancel_order(
            holder=holder,
            order_id=order_id,
            reason=draft.validated_data["reason"],
            actor_id=holder.customer_id,
            version=expected_version(request),
        )
        return _rendered(order, status=201)


class OrderPayments(APIView):
    """Try again to pay an order whose payment failed."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_payments_create",
        parameters=[ORDER_TOKEN, IDEMPOTENCY_KEY],
        request=PaymentRetry,
        responses={201: OrderDocument, **problems(400, 401, 404, 409, 422)},
    )
    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        draft = PaymentRetry(data=request.data)
        draft.is_valid(raise_exception=True)
        order = checkout.pay_again(
            holder=order_holder(request),
            order_id=order_id,
            payment=checkout.PaymentChoice(**draft.validated_data["payment"]),
        )
        return _rendered(order, status=201)
