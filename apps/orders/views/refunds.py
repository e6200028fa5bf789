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
from apps.orders.models import StoredValue
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.orders import order_of
from apps.orders.selectors.refunds import GivenBack, refunds_of
from apps.orders.services import refunds
from apps.orders.states import RefundStatus
from apps.orders.views.holder import ORDER_TOKEN, order_holder


class RefundDraft(StrictSerializer):
    """How much goes back, and why; the buyer reads it.

    It goes to who has paid, the payment first; or all of it becomes the customer's store credit.
    """

    amount = MoneyField(any_currency=True)
    reason = StrictCharField(max_length=200)
    to = serializers.ChoiceField(choices=["payer", "store_credit"], default="payer")


class RefundedValue(serializers.Serializer[Any]):
    """What of a refund is on a gift card or store credit: at once, whatever the payment does."""

    kind = serializers.ChoiceField(choices=StoredValue.Kind.choices)
    last_four = serializers.CharField(allow_null=True, help_text="Of a gift card.")
    amount = MoneyField()


class RefundDocument(serializers.Serializer[Any]):
    """What goes back, or is there: `status` is that of the payment's part."""

    id = serializers.UUIDField()
    payment_id = serializers.UUIDField(allow_null=True, help_text="Null: no payment gets any.")
    amount = MoneyField(help_text="All of it.")
    stored_value = RefundedValue(many=True)
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
        return Response(
            {
                "refundable": Money(refundable_minor(order.pk), order.currency),
                "results": [_document(each, order.currency) for each in refunds_of(order)],
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
        wish = draft.validated_data
        given = refunds.refund_order(
            order_id=order_id,
            amount=wish["amount"],
            reason=wish["reason"],
            to_store_credit=wish["to"] == "store_credit",
            version=expected_version(request),
        )
        return Response(_document(given, wish["amount"].currency), status=201)


def _document(given: GivenBack, currency: str) -> dict[str, Any]:
    payment = given.payment
    return {
        "id": given.id,
        "payment_id": payment.attempt_id if payment else None,
        "amount": Money(given.amount_minor, currency),
        "stored_value": [
            {
                "kind": movement.account.kind,
                "last_four": movement.account.last_four or None,
                "amount": Money(movement.amount_minor, currency),
            }
            for movement in given.movements
        ],
        "status": given.status,
        "reason": given.reason,
        "failure_code": (payment.failure_code if payment else "") or None,
        "created_at": given.at,
    }
