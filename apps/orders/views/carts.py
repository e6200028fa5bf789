"""Carts over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.addresses import Address
from apps.kernel.conditional import expected_version, tagged
from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, IF_MATCH, problems
from apps.kernel.pagination import read_query
from apps.kernel.serializers import StrictSerializer
from apps.orders.serializers.carts import (
    CartDocument,
    EmailDraft,
    ItemChange,
    ItemDraft,
    ShippingChoice,
    ShippingOptions,
    WholeItems,
    cart_document,
    shipping_option_document,
)
from apps.orders.serializers.orders import CheckoutDraft, OrderDocument, order_document
from apps.orders.serializers.prices import CouponDraft
from apps.orders.services import cart_prices, carts, checkout, code_tries, coupons, saved_items
from apps.orders.views.holder import CART_TOKEN, cart_holder

CHANGES = [CART_TOKEN, IF_MATCH]


def rendered(
    priced: cart_prices.PricedCart, *, status: int = 200, token: str = "", explained: bool = False
) -> Response:
    document = cart_document(priced, token=token, explained=explained)
    response = Response(document, status=status)
    return tagged(response, version=priced.cart.version)


class Carts(APIView):
    """Open a cart; what was saved for later in carts that have become orders comes along."""

    permission_classes = (AllowAny,)

    class Nothing(StrictSerializer):
        """An empty object."""

    @extend_schema(
        operation_id="carts_create",
        parameters=[CART_TOKEN],
        request=Nothing,
        responses={201: CartDocument, **problems(400, 401)},
    )
    def post(self, request: Request) -> Response:
        self.Nothing(data=request.data or {}).is_valid(raise_exception=True)
        holder = cart_holder(request)
        cart, token = saved_items.open_next_cart(holder=holder)
        return rendered(cart_prices.price_cart(cart, holder=holder), status=201, token=token)


class CurrentCart(APIView):
    """The customer's newest open cart."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="carts_current", responses={200: CartDocument, **problems(401, 404)}
    )
    def get(self, request: Request) -> Response:
        return rendered(cart_prices.read_cart(holder=cart_holder(request)))


class OneCart(APIView):
    """A cart."""

    permission_classes = (AllowAny,)

    class Explain(StrictSerializer):
        """Whether every rule that was tried is listed."""

        explain = serializers.ChoiceField(choices=["true", "false"], required=False)

    @extend_schema(
        operation_id="carts_retrieve",
        parameters=[CART_TOKEN, Explain],
        responses={200: CartDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, cart_id: UUID) -> Response:
        """Show a cart at the prices of this moment; with `explain=true` also why."""
        explained = read_query(request, self.Explain).get("explain") == "true"
        priced = cart_prices.read_cart(holder=cart_holder(request), cart_id=cart_id)
        return rendered(priced, explained=explained)

    @extend_schema(
        operation_id="carts_delete",
        parameters=CHANGES,
        responses={204: None, **problems(400, 401, 404, 409, 412)},
    )
    def delete(self, request: Request, cart_id: UUID) -> Response:
        carts.drop_cart(
            holder=cart_holder(request), cart_id=cart_id, version=expected_version(request)
        )
        return Response(status=204)


class CartItems(APIView):
    """The lines of a cart."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_items_add",
        parameters=CHANGES,
        request=ItemDraft,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412, 422)},
    )
    def post(self, request: Request, cart_id: UUID) -> Response:
        draft = ItemDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        item = draft.validated_data
        return rendered(
            carts.add_item(
                holder=cart_holder(request),
                cart_id=cart_id,
                variant=item.get("variant_id") or item["sku"],
                quantity=item["quantity"],
                version=expected_version(request),
            )
        )

    @extend_schema(
        operation_id="cart_items_replace",
        parameters=CHANGES,
        request=WholeItems,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def put(self, request: Request, cart_id: UUID) -> Response:
        draft = WholeItems(data=request.data)
        draft.is_valid(raise_exception=True)
        return rendered(
            carts.replace_items(
                holder=cart_holder(request),
                cart_id=cart_id,
                quantities={
                    item["variant_id"]: item["quantity"] for item in draft.validated_data["items"]
                },
                version=expected_version(request),
            )
        )


class OneCartItem(APIView):
    """A line of a cart."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_items_change",
        parameters=CHANGES,
        request=ItemChange,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def patch(self, request: Request, cart_id: UUID, item_id: UUID) -> Response:
        change = ItemChange(data=request.data)
        change.is_valid(raise_exception=True)
        return self._set(request, cart_id, item_id, change.validated_data["quantity"])

    @extend_schema(
        operation_id="cart_items_remove",
        parameters=CHANGES,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def delete(self, request: Request, cart_id: UUID, item_id: UUID) -> Response:
        return self._set(request, cart_id, item_id, 0)

    def _set(self, request: Request, cart_id: UUID, item_id: UUID, quantity: int) -> Response:
        return rendered(
            carts.set_quantity(
                holder=cart_holder(request),
                cart_id=cart_id,
                item_id=item_id,
                quantity=quantity,
                version=expected_version(request),
            )
        )


class CartEmail(APIView):
    """Where the confirmation goes."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_email_set",
        parameters=CHANGES,
        request=EmailDraft,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def put(self, request: Request, cart_id: UUID) -> Response:
        draft = EmailDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        return rendered(
            carts.set_details(
                holder=cart_holder(request),
                cart_id=cart_id,
                version=expected_version(request),
                email=draft.validated_data["email"],
            )
        )


class CartShippingAddress(APIView):
    """Where the parcel goes."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_shipping_address_set",
        parameters=CHANGES,
        request=Address,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def put(self, request: Request, cart_id: UUID) -> Response:
        address = Address(data=request.data)
        address.is_valid(raise_exception=True)
        return rendered(
            carts.set_details(
                holder=cart_holder(request),
                cart_id=cart_id,
                version=expected_version(request),
                shipping_address=dict(address.validated_data),
            )
        )


class CartShippingOptions(APIView):
    """How the parcel may go."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_shipping_options_list",
        parameters=[CART_TOKEN],
        responses={200: ShippingOptions, **problems(400, 401, 404, 409)},
    )
    def get(self, request: Request, cart_id: UUID) -> Response:
        priced = cart_prices.read_cart(holder=cart_holder(request), cart_id=cart_id)
        options = cart_prices.shipping_options(priced)
        return Response({"results": [shipping_option_document(option) for option in options]})


class CartShippingOption(APIView):
    """How the parcel goes."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_shipping_option_set",
        parameters=CHANGES,
        request=ShippingChoice,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412, 422)},
    )
    def put(self, request: Request, cart_id: UUID) -> Response:
        choice = ShippingChoice(data=request.data)
        choice.is_valid(raise_exception=True)
        return rendered(
            carts.choose_shipping(
                holder=cart_holder(request),
                cart_id=cart_id,
                code=choice.validated_data["code"],
                version=expected_version(request),
            )
        )


class CartCoupons(APIView):
    """The codes of a cart."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_coupons_add",
        parameters=CHANGES,
        request=CouponDraft,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412, 422, 429)},
    )
    def post(self, request: Request, cart_id: UUID) -> Response:
        """Add a code. 422 `coupon_not_applicable` says why it takes nothing off.

        429 `too_many_guesses` after many that nobody has.
        """
        draft = CouponDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        return rendered(
            code_tries.try_coupon(
                holder=cart_holder(request),
                cart_id=cart_id,
                code=draft.validated_data["code"],
                version=expected_version(request),
                ip=request.META.get("REMOTE_ADDR") or None,
            )
        )


class OneCartCoupon(APIView):
    """A code of a cart."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="cart_coupons_remove",
        parameters=CHANGES,
        responses={200: CartDocument, **problems(400, 401, 404, 409, 412)},
    )
    def delete(self, request: Request, cart_id: UUID, coupon: str) -> Response:
        """Take a code out, whatever case it is written in."""
        return rendered(
            coupons.remove_coupon(
                holder=cart_holder(request),
                cart_id=cart_id,
                code=coupon,
                version=expected_version(request),
            )
        )


class Checkout(APIView):
    """Make the cart an order."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="carts_checkout",
        parameters=[*CHANGES, IDEMPOTENCY_KEY],
        request=CheckoutDraft,
        responses={
            201: OrderDocument,
            200: OrderDocument,
            **problems(400, 401, 404, 409, 412, 422),
        },
    )
    @idempotent
    def post(self, request: Request, cart_id: UUID) -> Response:
        draft = CheckoutDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        wish = draft.validated_data
        holder = cart_holder(request)
        placed = checkout.place_order(
            holder=holder,
            cart_id=cart_id,
            payment=checkout.PaymentChoice(**wish["payment"]),
            email=wish.get("email", ""),
            expected_total=wish.get("expected_total"),
            expected_to_pay=wish.get("expected_to_pay"),
            version=expected_version(request),
            ip=request.META.get("REMOTE_ADDR") or None,
        )
        order = placed.whole.order
        response = Response(
            order_document(placed.whole, token=placed.token),
            status=201 if placed.created else 200,
            headers={"Location": f"/api/v1/orders/{order.pk}"},
        )
        return tagged(response, version=order.version)
