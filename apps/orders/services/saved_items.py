"""Saving lines of a cart for later, and putting them back."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from apps.catalog import interface as catalog
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.money import Money
from apps.orders.models import MOST_LINES, Cart, CartItem, SavedItem
from apps.orders.selectors.orders import Holder, cart_of
from apps.orders.services.cart_lines import put_in, remember_prices, take_out
from apps.orders.services.cart_prices import PricedCart, price_cart
from apps.orders.services.carts import (
    CartIsFull,
    QuantityTooLarge,
    UnknownItem,
    UnknownVariant,
    change_cart,
    open_cart,
)


class UnknownSavedItem(NotFound):
    """The cart has no such line saved for later."""

    code = "unknown_saved_item"


class TooManySavedItems(Conflict):
    """As many lines are saved for later as may be."""

    code = "too_many_saved_items"


@dataclass(frozen=True, slots=True)
class SavedLine:
    """A saved line and what the catalog says of it now; `offer` is None when it is sold no more."""

    item: SavedItem
    offer: catalog.Offer | None

    @property
    def unit_price(self) -> Money | None:
        """What each of so many pieces would cost."""
        return self.offer.price_for(self.item.quantity) if self.offer else None


def saved_lines(*, holder: Holder, cart_id: UUID) -> tuple[Cart, list[SavedLine]]:
    """Return the holder's cart and what is saved in it, oldest first. Raises UnknownCart."""
    cart = cart_of(holder=holder, cart_id=cart_id)
    items = list(SavedItem.objects.filter(cart=cart).order_by("created_at", "id"))
    offers = catalog.offers(
        variant_ids=[item.variant_id for item in items],
        currency=cart.currency,
        customer_group_id=holder.customer_group_id,
    )
    return cart, [SavedLine(item, offers.get(item.variant_id)) for item in items]


@transaction.atomic
def save_for_later(
    *, holder: Holder, cart_id: UUID, item_id: UUID, version: int | None
) -> PricedCart:
    """Take a line out of the cart and keep it for later, with what is kept of it already.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, UnknownItem, QuantityTooLarge,
    TooManySavedItems.
    """
    cart = change_cart(holder, cart_id, version)
    line = take_out(CartItem, cart_id=cart.pk, line_id=item_id)
    if not line:
        raise UnknownItem("The cart has no such line.")
    for left in put_in(SavedItem, cart_id=cart.pk, quantities=line):
        if left.code == QuantityTooLarge.code:
            raise QuantityTooLarge("At most 999 of one thing are saved for later.")
        raise TooManySavedItems(f"At most {MOST_LINES} lines are saved for later.")
    return price_cart(cart, holder=holder)


@transaction.atomic
def put_back(*, holder: Holder, cart_id: UUID, saved_id: UUID, version: int | None) -> PricedCart:
    """Put a saved line back into the cart, with what is there of it already.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, UnknownSavedItem, UnknownVariant,
    QuantityTooLarge, CartIsFull.
    """
    cart = change_cart(holder, cart_id, version)
    line = take_out(SavedItem, cart_id=cart.pk, line_id=saved_id)
    if not line:
        raise UnknownSavedItem("The cart has no such line saved for later.")
    for left in put_in(CartItem, cart_id=cart.pk, quantities=line):
        if left.code == QuantityTooLarge.code:
            raise QuantityTooLarge(left.detail)
        raise CartIsFull(left.detail)
    priced = price_cart(cart, holder=holder)
    if not any(each.offer for each in priced.lines if each.item.variant_id in line):
        raise UnknownVariant("Nothing like this is sold now.")
    remember_prices(priced)
    return priced


@transaction.atomic
def forget(*, holder: Holder, cart_id: UUID, saved_id: UUID, version: int | None) -> PricedCart:
    """Delete a saved line.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, UnknownSavedItem.
    """
    cart = change_cart(holder, cart_id, version)
    if not take_out(SavedItem, cart_id=cart.pk, line_id=saved_id):
        raise UnknownSavedItem("The cart has no such line saved for later.")
    return price_cart(cart, holder=holder)


@transaction.atomic
def open_next_cart(*, holder: Holder) -> tuple[Cart, str]:
    """Open a cart; what the holder saved in carts that have become orders comes along.

    Returns it with the guest's secret token, empty for a customer.
    """
    cart, token = open_cart(customer_id=holder.customer_id)
    if holder.customer_id or holder.token:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE orders_saveditem SET cart_id = %s WHERE id IN (
                    SELECT DISTINCT ON (saved.variant_id) saved.id
                    FROM orders_saveditem AS saved
                    JOIN orders_cart AS cart ON cart.id = saved.cart_id
                    WHERE cart.status = 'ordered' AND (cart.customer_id = %s OR (
                        cart.customer_id IS NULL AND cart.token_hash = %s AND cart.token_hash <> ''
                    ))
                    ORDER BY saved.variant_id, saved.created_at, saved.id LIMIT %s
                )
                """,
                [cart.pk, holder.customer_id, holder.token_hash, MOST_LINES],
            )
    return cart, token
