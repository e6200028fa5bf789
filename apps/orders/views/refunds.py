"""An order's refunds over HTTP: its buyer sees them, staff make them."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version
from apps.kernel.idempotency import idempotent
from apps.kernel.money import Money
from apps.kernel.openapi import IDEMPOTENCY_KEY, IF_MATCH, problems
from apps.kernel.permissions import PeopleOnly, RecentlyProven, staff_with
from apps.kernel.serializers import MoneyField, StrictCharField, StrictSerializer
from apps.orders.models import Refund
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.orders import order_of
from apps.orders.services import refunds
from apps.orders.states import RefundStatus
from apps.orders.views.holder import ORDER_TOKEN, order_holder


class RefundDraft(StrictSerializer):
    """How much goes back, and why; the buyer reads it."""

    amount = MoneyField(any_currency=True)
    reason = StrictCharField(max_length=200)


class RefundDocument(serializers.Serializer[Any]):
    """Money on its way back, or there."""

    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    amount = MoneyField()
    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in RefundStatus])
    reason = serializers.CharField()
    failure_code = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class RefundList(serializers.Serializer[Any]):
    """The order's refunds, oldest first, and how much could still be given back."""

    refundable = MoneyField()
    results = RefundDocument(many=True)


class OrderRefunds(APIView):
    """The refunds of an order."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        if self.request is not None and self.request.method == "POST":
            return [staff_with("orders.refund_order")(), PeopleOnly(), RecentlyProven()]
        return [AllowAny()]

    @extend_schema(
        operation_id="order_refunds_list",
        parameters=[ORDER_TOKEN],
        responses={200: RefundList, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """List what goes back of an order's money, and what is left to be given back."""
        order = order_of(holder=order_holder(request), order_id=order_id)
        rows = Refund.objects.filter(attempt__order=order).order_by("created_at", "id")
        return Response(
            {
                "refundable": Money(refundable_minor(order.pk), order.currency),
                "results": [_document(refund) for refund in rows],
            }
        )

    @extend_schema(
        operation_id="order_refunds_create",
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request=RefundDraft,
        responses={201: RefundDocument, **problems(400, 401, 403, 404, 409, 412, 422)},
    )
    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        """Give back a part of what was taken, or all. 409 `refund_exceeds_captured` for more."""
        draft = RefundDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        refund = refunds.refund_order(
            order_id=order_id, version=expected_version(request), **draft.validated_data
        )
        return Response(_document(refund), status=201)


def _document(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.pk,
        "payment_id": refund.attempt_id,
        "amount": Money(refund.amount_minor, refund.currency),
        "status": refund.status,
        "reason": refund.reason,
        "failure_code": refund.failure_code or None,
        "created_at": refund.created_at,
    }
