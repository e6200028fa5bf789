"""Who asks, read from the request."""

from dataclasses import replace
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from apps.kernel.openapi import header
from apps.kernel.permissions import is_api_key, is_recently_proven, is_staff_with
from apps.orders.selectors.orders import Holder
from apps.orders.services import lookups

LONGEST_TOKEN = 200


CART_TOKEN = header("X-Cart-Token", "The guest's secret, from the answer that opened the cart.")
ORDER_TOKEN = header("X-Order-Token", "The guest's secret, from the answer to the checkout.")


MAILED_TOKEN = OpenApiParameter(
    "token", OpenApiTypes.STR, description="From a mailed link: it reads this order for a day."
)


def cart_holder(request: Request) -> Holder:
    """Return who holds the cart: a customer, a guest's token, or both."""
    return _holder(request, "X-Cart-Token")


def order_holder(request: Request) -> Holder:
    """Return who holds the order: as for carts, or staff with what they may do to any order.

    An API key is nobody's customer. Raises PermissionDenied for one that may not see orders.
    """
    holder = replace(
        _holder(request, "X-Order-Token"),
        sees_all=is_staff_with(request, "orders.view_order"),
        cancels_all=is_staff_with(request, "orders.cancel_order"),
        refunds_all=is_staff_with(request, "orders.refund_order"),
        decides_returns=is_staff_with(request, "orders.decide_return"),
        sees_returns=is_staff_with(request, "orders.view_return"),
        recently_proven=is_recently_proven(request.auth),
    )
    if is_api_key(request):
        if not holder.sees_all:
            raise PermissionDenied
        holder = replace(holder, customer_id=None, token="")
    return holder


def order_reader(request: Request, order_id: UUID) -> Holder:
    """Return who may read the order: as for all else, or with the token of a mailed link to it."""
    holder = order_holder(request)
    token = request.query_params.get("token") or holder.token
    if len(token) <= LONGEST_TOKEN and lookups.shows(token, order_id=order_id):
        holder = replace(holder, may_read=order_id)
    return holder


def _holder(request: Request, header: str) -> Holder:
    token = request.headers.get(header, "")
    user = request.user
    return Holder(
        customer_id=user.pk if user.is_authenticated else None,
        customer_group_id=getattr(user, "customer_group_id", None),
        token=token if len(token) <= LONGEST_TOKEN else "",
    )
