"""What is saved for later, over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.serializers import StrictSerializer
from apps.orders.serializers.carts import CartDocument, CartItemDocument, cart_document
from apps.orders.services import saved_items
from apps.orders.services.cart_prices import PricedCart
from apps.orders.views.holder import CART_TOKEN, cart_holder

CHANGES = [CART_TOKEN, IF_MATCH]


class NoMoreToSay(StrictSerializer):
    """An empty object."""


class SavedItemList(serializers.Serializer[Any]):
    """All that is saved in the cart, oldest first, at the prices of this moment."""

    results = CartItemDocument(many=True)


def _document(line: saved_items.SavedLine) -> dict[str, Any]:
    return {
        "id": line.item.pk,
        "variant_id": line.item.variant_id,
        "product_id": line.offer and line.offer.product_id,
        "sku": line.offer and line.offer.sku,
        "name": line.offer and line.offer.name,
        "quantity": line.item.quantity,
        "unit_price": line.unit_price,
        "total": line.unit_price and line.unit_price * line.item.quantity,
    }


def _cart(priced: PricedCart) -> Response:
    return tagged(Response(cart_document(priced)), version=priced.cart.version)


class SavedItems(APIView):
    """What is saved for later: in no total, in no order."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_saved_items_list",
        parameters=[CART_TOKEN],
        responses={200: SavedItemList, **problems(400, 401, 404)},
    )
    def get(self, request: Request, cart_id: UUID) -> Response:
        cart, lines = saved_items.saved_lines(holder=cart_holder(request), cart_id=cart_id)
        body = {"results": [_document(line) for line in lines]}
        return tagged(Response(body), version=cart.version)


class ItemSaves(APIView):
    """Take a line out of the cart and keep it for later, with what is kept of it already."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_item_saves_create",
        parameters=CHANGES,
        request=NoMoreToSay,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412, 422)},
    )
    def post(self, request: Request, cart_id: UUID, item_id: UUID) -> Response:
        NoMoreToSay(data=request.data or {}).is_valid(raise_exception=True)
        return _cart(
            saved_items.save_for_later(
                holder=cart_holder(request),
                cart_id=cart_id,
                item_id=item_id,
                version=expected_version(request),
            )
        )


class OneSavedItem(APIView):
    """A line that is saved for later."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_saved_items_delete",
        parameters=CHANGES,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def delete(self, request: Request, cart_id: UUID, saved_item_id: UUID) -> Response:
        return _cart(
            saved_items.forget(
                holder=cart_holder(request),
                cart_id=cart_id,
                saved_id=saved_item_id,
                version=expected_version(request),
            )
        )


class SavedItemMoves(APIView):
    """Put a saved line back into the cart."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_saved_item_moves_create",
        parameters=CHANGES,
        request=NoMoreToSay,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412, 422)},
    )
    def post(self, request: Request, cart_id: UUID, saved_item_id: UUID) -> Response:
        NoMoreToSay(data=request.data or {}).is_valid(raise_exception=True)
        return _cart(
            saved_items.put_back(
                holder=cart_holder(request),
                cart_id=cart_id,
                saved_id=saved_item_id,
                version=expected_version(request),
            )
        )
