"""The answer to what fills a cart with many lines at once."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from apps.kernel.conditional import tagged
from apps.orders.serializers.carts import CartDocument, cart_document
from apps.orders.services.cart_lines import LeftOut
from apps.orders.services.cart_prices import PricedCart


class LeftOutDocument(serializers.Serializer[Any]):
    """So many of a variant that are not in the cart, and why."""

    code = serializers.CharField()
    detail = serializers.CharField()
    variant_id = serializers.UUIDField()
    quantity = serializers.IntegerField()


class FilledCart(serializers.Serializer[Any]):
    """The cart as it is now, and what did not get into it."""

    cart = CartDocument()
    left_out = LeftOutDocument(many=True)


def filled_cart(
    priced: PricedCart, left_out: Iterable[LeftOut], *, status: int = 200, token: str = ""
) -> Response:
    """Return the answer that FilledCart describes, with the cart's version in its ETag."""
    body = {
        "cart": cart_document(priced, token=token),
        "left_out": [
            {
                "code": each.code,
                "detail": each.detail,
                "variant_id": each.variant_id,
                "quantity": each.quantity,
            }
            for each in left_out
        ],
    }
    return tagged(Response(body, status=status), version=priced.cart.version)
