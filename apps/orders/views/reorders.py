"""Buying again over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.serializers import StrictSerializer
from apps.orders.services import reorders
from apps.orders.views.holder import CART_TOKEN, ORDER_TOKEN, cart_holder, order_holder
from apps.orders.views.left_out import FilledCart, filled_cart


class Reorders(APIView):
    """Put the lines of an order into the buyer's newest open cart, or into a new one.

    Prices are those of now. What is sold no more, or does not fit, is told in `left_out`. A guest
    shows the order's token, and the cart's if there is one; a cart that is opened carries `token`.
    """

    permission_classes = (AllowAny,)

    class ReorderDraft(StrictSerializer):
        """An empty object."""

    @extend_schema(
        operation_id="order_reorders_create",
        parameters=[ORDER_TOKEN, CART_TOKEN, IDEMPOTENCY_KEY],
        request=ReorderDraft,
        responses={201: FilledCart, **problems(400, 401, 403, 404, 409, 422)},
    )
    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        self.ReorderDraft(data=request.data or {}).is_valid(raise_exception=True)
        done = reorders.reorder(
            buyer=order_holder(request), holder=cart_holder(request), order_id=order_id
        )
        response = filled_cart(done.priced, done.left_out, status=201, token=done.token)
        response["Location"] = f"/api/v1/carts/{done.priced.cart.pk}"
        return response
