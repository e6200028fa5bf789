"""Buying again what was bought before, at the prices of today."""

from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from apps.catalog import interface as catalog
from apps.orders.models import CartItem, OrderLine
from apps.orders.selectors.orders import Holder, order_of
from apps.orders.services.cart_lines import LeftOut, put_in, remember_prices
from apps.orders.services.cart_prices import PricedCart, price_cart
from apps.orders.services.checkout import NotTheBuyer
from apps.orders.services.current_carts import change_current_cart, wait_for_others
from apps.orders.services.saved_items import open_next_cart


@dataclass(frozen=True, slots=True)
class Reordered:
    """The cart with the old lines in it, its token if a guest's was opened, and what is missing."""

    priced: PricedCart
    token: str
    left_out: list[LeftOut]


@transaction.atomic
def reorder(*, buyer: Holder, holder: Holder, order_id: UUID) -> Reordered:
    """Put the lines of the buyer's order into the holder's newest open cart, or into a new one.

    Quantities add up, prices are those of now. What is sold no more, or does not fit, is left out
    and told; what is short in stock is in the cart, and among its problems.

    Raises UnknownOrder; NotTheBuyer for staff, who may see the order.
    """
    order = order_of(holder=buyer, order_id=order_id)
    if not buyer.bought(order):
        raise NotTheBuyer("You may see this order, but not buy it again.")
    if holder.customer_id:
        holder = replace(holder, token="")
    wait_for_others(holder)
    token, cart = "", change_current_cart(holder)
    if cart is None:
        cart, token = open_next_cart(holder=holder)
    lines = {line.variant_id: line for line in _lines_of(order.pk)}
    sold = catalog.offers(
        variant_ids=list(lines),
        currency=cart.currency,
        customer_group_id=holder.customer_group_id,
    )
    left_out = [
        LeftOut("item_unavailable", f"{line.name} is sold no more.", variant_id, line.quantity)
        for variant_id, line in lines.items()
        if variant_id not in sold
    ]
    left_out += put_in(
        CartItem,
        cart_id=cart.pk,
        quantities={key: line.quantity for key, line in lines.items() if key in sold},
    )
    priced = price_cart(cart, holder=holder)
    remember_prices(priced)
    return Reordered(priced, token, left_out)


def _lines_of(order_id: UUID) -> list[OrderLine]:
    return list(OrderLine.objects.filter(order=order_id).order_by("position"))
