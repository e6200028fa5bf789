"""Gift cards and store credit of a cart over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version
from apps.kernel.openapi import problems
from apps.kernel.serializers import StrictSerializer
from apps.orders.serializers.carts import CartDocument
from apps.orders.serializers.stored_value import GiftCardCode
from apps.orders.services import cart_tenders, code_tries
from apps.orders.views.carts import CHANGES, rendered
from apps.orders.views.holder import cart_holder


class CartGiftCards(APIView):
    """The gift cards that pay for a cart."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_gift_cards_add",
        parameters=CHANGES,
        request=GiftCardCode,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412, 422, 429)},
    )
    def post(self, request: Request, cart_id: UUID) -> Response:
        """Let a card pay. 422 `gift_card_not_usable` says why it cannot.

        429 `too_many_guesses` after many that no card has.
        """
        draft = GiftCardCode(data=request.data)
        draft.is_valid(raise_exception=True)
        return rendered(
            code_tries.try_gift_card(
                holder=cart_holder(request),
                cart_id=cart_id,
                code=draft.validated_data["code"],
                version=expected_version(request),
                ip=request.META.get("REMOTE_ADDR") or None,
            )
        )


class OneCartGiftCard(APIView):
    """A gift card that pays for a cart."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_gift_cards_remove",
        parameters=CHANGES,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def delete(self, request: Request, cart_id: UUID, gift_card_id: UUID) -> Response:
        """Take a card out, by the id that the cart says."""
        return rendered(
            cart_tenders.remove_gift_card(
                holder=cart_holder(request),
                cart_id=cart_id,
                gift_card_id=gift_card_id,
                version=expected_version(request),
            )
        )


class CartStoreCredit(APIView):
    """Whether the customer's store credit pays for the cart."""

    permission_classes = (IsAuthenticated,)

    class Nothing(StrictSerializer):
        """An empty object."""

    @extend_schema(
        operation_id="cart_store_credit_use",
        parameters=CHANGES,
        request=Nothing,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412, 413, 415)},
    )
    def put(self, request: Request, cart_id: UUID) -> Response:
        """Let it pay what gift cards leave."""
        self.Nothing(data=request.data or {}).is_valid(raise_exception=True)
        return self._use(request, cart_id, use=True)

    @extend_schema(
        operation_id="cart_store_credit_leave",
        parameters=CHANGES,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def delete(self, request: Request, cart_id: UUID) -> Response:
        """Keep it for another time."""
        return self._use(request, cart_id, use=False)

    def _use(self, request: Request, cart_id: UUID, *, use: bool) -> Response:
        return rendered(
            cart_tenders.use_store_credit(
                holder=cart_holder(request),
                cart_id=cart_id,
                use=use,
                version=expected_version(request),
            )
        )
