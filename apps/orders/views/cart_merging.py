"""Merging carts over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.serializers import StrictSerializer
from apps.orders.services import cart_merging
from apps.orders.views.holder import CART_TOKEN, cart_holder
from apps.orders.views.left_out import FilledCart, filled_cart


class CartMerges(APIView):
    """Move a guest's cart into the customer's current one, or make it theirs if they have none.

    The customer shows the guest's token. What does not fit stays in the guest's cart.
    """

    permission_classes = (IsAuthenticated,)

    class NoOptions(StrictSerializer):
        """An empty object."""

    @extend_schema(
        operation_id="cart_merges_create",
        parameters=[CART_TOKEN, IF_MATCH],
        request=NoOptions,
        responses={200: FilledCart, **problems(400, 401, 404, 409, 412)},
    )
    def post(self, request: Request, cart_id: UUID) -> Response:
        self.NoOptions(data=request.data or {}).is_valid(raise_exception=True)
        merged = cart_merging.merge_cart(
            holder=cart_holder(request), cart_id=cart_id, version=expected_version(request)
        )
        return filled_cart(merged.priced, merged.left_out)
