"""Taking a guest's cart along into an account, without losing a piece of it."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.orders.models import Cart, CartItem, SavedItem
from apps.orders.selectors.orders import Holder
from apps.orders.services.cart_lines import LeftOut, move
from apps.orders.services.cart_prices import PricedCart, price_cart
from apps.orders.services.cart_tenders import MOST_GIFT_CARDS
from apps.orders.services.carts import change_cart
from apps.orders.services.coupons import MOST_COUPONS
from apps.orders.services.current_carts import change_current_cart, wait_for_others
from apps.users import interface as users


@dataclass(frozen=True, slots=True)
class Merged:
    """The customer's cart afterwards, and what did not fit into it."""

    priced: PricedCart
    left_out: list[LeftOut]


@transaction.atomic
def merge_cart(*, holder: Holder, cart_id: UUID, version: int | None) -> Merged:
    """Move a guest's cart, whose token the customer holds, into the customer's current cart.

    Quantities add up. Without an open cart of theirs the guest's becomes the customer's. What does
    not fit stays in the guest's cart and is told: pieces are moved, never copied, so whoever
    repeats the call moves what is left. What is saved for later is moved alike. Codes of
    coupons and gift cards go along, as many as a cart takes, and an address where the customer's
    cart has none.

    The guest's cart is locked first, then the customer's: no two merges wait for each other.

    Raises UnknownCart, CartIsOrdered, VersionMismatch.
    """
    guest, customer = replace(holder, customer_id=None), replace(holder, token="")
    wait_for_others(customer)
    mine = Cart.objects.filter(customer.owns(), pk=cart_id).first()
    if mine is not None:
        return Merged(price_cart(mine, holder=holder), [])
    guests = change_cart(guest, cart_id, version)
    current = change_current_cart(customer)
    if current is None:
        _claim(guests, customer)
        return Merged(price_cart(guests, holder=holder), [])
    left = [
        *move(CartItem, source_id=guests.pk, target_id=current.pk),
        *move(SavedItem, source_id=guests.pk, target_id=current.pk),
    ]
    _take_details(guests, current)
    return Merged(price_cart(current, holder=holder), left)


def _claim(cart: Cart, customer: Holder) -> None:
    cart.customer_id, cart.token_hash = customer.customer_id, ""
    for contact in users.contacts_of(user_ids=filter(None, [customer.customer_id])).values():
        cart.email = cart.email or contact.email
    cart.save(update_fields=["customer_id", "token_hash", "email"])


def _take_details(guests: Cart, current: Cart) -> None:
    taken: dict[str, Any] = {}
    if guests.email and not current.email:
        taken["email"] = guests.email
    if guests.shipping_address and not current.shipping_address:
        taken["shipping_address"] = guests.shipping_address
        taken["shipping_option"] = guests.shipping_option
    if more := [code for code in guests.coupons if code not in current.coupons]:
        taken["coupons"] = [*current.coupons, *more][:MOST_COUPONS]
    if more := [card for card in guests.gift_cards if card not in current.gift_cards]:
        taken["gift_cards"] = [*current.gift_cards, *more][:MOST_GIFT_CARDS]
    for name, value in taken.items():
        setattr(current, name, value)
    if taken:
        current.save(update_fields=list(taken))
