"""Letting gift cards and store credit pay for a cart."""

from uuid import UUID

from django.db import transaction

from apps.kernel.errors import Conflict, Invalid, NotFound
from apps.orders.models import Cart
from apps.orders.selectors.orders import Holder
from apps.orders.selectors.stored_value import UnknownGiftCard, problem_of
from apps.orders.services.cart_prices import PricedCart, price_cart
from apps.orders.services.carts import change_cart, items_of
from apps.orders.services.stored_value import gift_card_by_code

MOST_GIFT_CARDS = 10


class GiftCardNotUsable(Invalid):
    """The card cannot pay for this cart; `reason` says why."""

    code = "gift_card_not_usable"


class TooManyGiftCards(Conflict):
    """The cart holds as many gift cards as it may."""

    code = "too_many_gift_cards"


class GiftCardNotInCart(NotFound):
    """The cart has no such gift card."""

    code = "gift_card_not_in_cart"


class CartOfAGuest(Conflict):
    """Store credit is a customer's, and this cart is nobody's."""

    code = "cart_of_a_guest"


@transaction.atomic
def add_gift_card(*, holder: Holder, cart_id: UUID, code: str, version: int | None) -> PricedCart:
    """Let the gift card with a code pay for the cart; again changes nothing.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, GiftCardNotUsable, TooManyGiftCards.
    """
    cart = change_cart(holder, cart_id, version)
    try:
        card = gift_card_by_code(code=code)
    except UnknownGiftCard as unknown:
        raise GiftCardNotUsable("There is no such gift card.", reason="unknown") from unknown
    if reason := problem_of(card, cart.currency):
        raise GiftCardNotUsable("The gift card cannot pay.", reason=reason)
    if str(card.pk) not in cart.gift_cards:
        if len(cart.gift_cards) >= MOST_GIFT_CARDS:
            raise TooManyGiftCards(f"A cart takes at most {MOST_GIFT_CARDS} gift cards.")
        _set(cart, gift_cards=[*cart.gift_cards, str(card.pk)])
    return price_cart(cart, holder=holder, items=items_of(cart))


@transaction.atomic
def remove_gift_card(
    *, holder: Holder, cart_id: UUID, gift_card_id: UUID, version: int | None
) -> PricedCart:
    """Take a gift card out of the cart.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, GiftCardNotInCart.
    """
    cart = change_cart(holder, cart_id, version)
    if str(gift_card_id) not in cart.gift_cards:
        raise GiftCardNotInCart("The cart has no such gift card.")
    _set(cart, gift_cards=[each for each in cart.gift_cards if each != str(gift_card_id)])
    return price_cart(cart, holder=holder, items=items_of(cart))


@transaction.atomic
def use_store_credit(
    *, holder: Holder, cart_id: UUID, use: bool, version: int | None
) -> PricedCart:
    """Let the customer's store credit pay what the gift cards do not, or no longer.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, CartOfAGuest.
    """
    cart = change_cart(holder, cart_id, version, store_credit=use)
    if cart.customer_id is None:
        raise CartOfAGuest("Log in and take the cart along: store credit is a customer's.")
    return price_cart(cart, holder=holder, items=items_of(cart))


def _set(cart: Cart, **values: list[str]) -> None:
    for name, value in values.items():
        setattr(cart, name, value)
    Cart.objects.filter(pk=cart.pk).update(**values)
