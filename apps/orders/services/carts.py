"""Filling a cart and choosing where and how it goes. Each change is one version."""

import secrets
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from apps.catalog import interface as catalog
from apps.kernel.errors import Conflict, Invalid, NotFound, VersionMismatch
from apps.kernel.ids import new_id
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES, Cart, CartItem
from apps.orders.selectors.orders import Holder, cart_of, hash_of
from apps.orders.services.cart_prices import PricedCart, price_cart, shipping_options
from apps.users import interface as users

# The lines that there are come along: a statement does not see what it writes itself.
ADD = """
WITH added AS (
    INSERT INTO orders_cartitem (id, cart_id, variant_id, quantity)
    VALUES (%(id)s, %(cart)s, %(variant)s, %(quantity)s)
    ON CONFLICT ON CONSTRAINT cart_item_once_a_variant
    DO UPDATE SET quantity = orders_cartitem.quantity + excluded.quantity
    WHERE orders_cartitem.quantity + excluded.quantity <= %(most)s
    RETURNING *
)
SELECT * FROM added
UNION ALL
SELECT * FROM orders_cartitem
WHERE cart_id = %(cart)s AND variant_id <> %(variant)s AND EXISTS (SELECT FROM added)
ORDER BY created_at, id
"""

SEEN = """
    (SELECT seen.version FROM orders_cart AS seen WHERE seen.id = orders_cart.id) AS seen_version,
    (
        SELECT json_agg(
            json_build_array(item.id, item.variant_id, item.quantity)
            ORDER BY item.created_at, item.id
        )
        FROM orders_cartitem AS item WHERE item.cart_id = orders_cart.id
    ) AS seen_lines
"""


class CartIsOrdered(Conflict):
    """The cart has become an order and does not change any more."""

    code = "cart_is_ordered"


class CartIsFull(Conflict):
    """The cart holds as many lines as it may."""

    code = "cart_is_full"


class QuantityTooLarge(Invalid):
    """More of one thing than a cart takes."""

    code = "quantity_too_large"


class UnknownVariant(NotFound):
    """Nothing like this is sold now."""

    code = "unknown_variant"


class UnknownItem(NotFound):
    """The cart has no such line."""

    code = "unknown_item"


class UnknownShippingOption(Invalid):
    """The parcel cannot go there that way."""

    code = "unknown_shipping_option"


def open_cart(*, customer_id: UUID | None, cart_id: UUID | None = None) -> tuple[Cart, str]:
    """Open a cart. Returns it with the guest's secret token, empty for a customer.

    Who can be interrupted and comes again gives the id, so that there is never a second cart.
    """
    token = "" if customer_id else secrets.token_urlsafe(32)
    contacts = users.contacts_of(user_ids=[customer_id]) if customer_id else {}
    cart = Cart.objects.create(
        id=cart_id or new_id(),
        customer_id=customer_id,
        token_hash=hash_of(token) if token else "",
        currency=settings.STORE_CURRENCY,
        email=contacts[customer_id].email if customer_id in contacts else "",
    )
    return cart, token


@transaction.atomic
def add_item(
    *, holder: Holder, cart_id: UUID, variant: UUID | str, quantity: int, version: int | None
) -> PricedCart:
    """Put so many more of a variant, by id or SKU, into the cart.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, UnknownVariant, QuantityTooLarge,
    CartIsFull.
    """
    cart = change_cart(holder, cart_id, version)
    variant_id = variant if isinstance(variant, UUID) else _variant_id_of(variant)
    wish = {"id": new_id(), "cart": cart.pk, "variant": variant_id, "quantity": quantity}
    items = list(CartItem.objects.raw(ADD, {**wish, "most": LARGEST_QUANTITY}))
    if not items:
        raise QuantityTooLarge(f"A cart takes at most {LARGEST_QUANTITY} of one thing.")
    priced = price_cart(cart, holder=holder, items=items)
    if not any(line.offer for line in priced.lines if line.item.variant_id == variant_id):
        raise UnknownVariant("Nothing like this is sold now.")
    if len(priced.lines) > MOST_LINES:
        raise CartIsFull(f"A cart takes at most {MOST_LINES} lines.")
    return priced


@transaction.atomic
def set_quantity(
    *, holder: Holder, cart_id: UUID, item_id: UUID, quantity: int, version: int | None
) -> PricedCart:
    """Change a line's quantity; 0 takes the line out.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, UnknownItem.
    """
    cart = change_cart(holder, cart_id, version)
    items = CartItem.objects.filter(cart=cart, pk=item_id)
    changed = items.update(quantity=quantity) if quantity else items.delete()[0]
    if not changed:
        raise UnknownItem("The cart has no such line.")
    return price_cart(cart, holder=holder)


@transaction.atomic
def replace_items(
    *, holder: Holder, cart_id: UUID, quantities: Mapping[UUID, int], version: int | None
) -> PricedCart:
    """Make these the cart's lines, by variant id. Raises as add_item does."""
    cart = change_cart(holder, cart_id, version)
    if len(quantities) > MOST_LINES:
        raise CartIsFull(f"A cart takes at most {MOST_LINES} lines.")
    CartItem.objects.filter(cart=cart).delete()
    CartItem.objects.bulk_create(
        CartItem(cart=cart, variant_id=variant_id, quantity=quantity)
        for variant_id, quantity in quantities.items()
    )
    priced = price_cart(cart, holder=holder)
    if not all(line.offer for line in priced.lines):
        raise UnknownVariant("Nothing like this is sold now.")
    return priced


@transaction.atomic
def set_details(
    *, holder: Holder, cart_id: UUID, version: int | None, **details: Any
) -> PricedCart:
    """Set `email` or `shipping_address`. Raises UnknownCart, CartIsOrdered, VersionMismatch."""
    cart = change_cart(holder, cart_id, version, **details)
    return price_cart(cart, holder=holder, items=items_of(cart))


@transaction.atomic
def choose_shipping(*, holder: Holder, cart_id: UUID, code: str, version: int | None) -> PricedCart:
    """Choose a shipping option.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, ShippingAddressMissing,
    UnknownShippingOption.
    """
    cart = change_cart(holder, cart_id, version, shipping_option=code)
    priced = price_cart(cart, holder=holder, items=items_of(cart))
    if all(option.code != code for option in shipping_options(priced)):
        raise UnknownShippingOption("The parcel cannot go there that way.")
    return priced


def drop_cart(*, holder: Holder, cart_id: UUID, version: int | None) -> None:
    """Delete an open cart. Raises UnknownCart, CartIsOrdered, VersionMismatch."""
    with transaction.atomic():
        change_cart(holder, cart_id, version).delete()


def change_open_cart(
    holder: Holder, cart_id: UUID, version: int | None, **values: Any
) -> Cart | None:
    """Lock and change the holder's open cart in one statement; None when there is none like it.

    The cart brings the lines along that the statement saw, and the version of when it saw them.
    """
    columns = {column.name: column for column in Cart._meta.concrete_fields}
    assignments = "".join(f", {columns[name].column} = %s" for name in values)
    prepared = [columns[name].get_db_prep_save(value, connection) for name, value in values.items()]
    changed = Cart.objects.raw(
        f"""
        UPDATE orders_cart SET version = version + 1, updated_at = now(){assignments}
        WHERE id = %s AND status = 'open'
            AND (customer_id = %s OR (customer_id IS NULL AND token_hash = %s AND token_hash <> ''))
            AND (%s::int IS NULL OR version = %s)
        RETURNING *, {SEEN}
        """,  # noqa: S608 - the columns' names come from the model
        [*prepared, cart_id, holder.customer_id, holder.token_hash, version, version],
    )
    return next(iter(changed), None)


def items_of(cart: Cart) -> list[CartItem] | None:
    """Return the lines of a cart that was just changed; None if somebody else changed it meanwhile.

    Who waits for the lock is told what the cart is then, but sees the lines of before.
    """
    seen = cast("Any", cart)
    if seen.seen_version != cart.version - 1:
        return None
    return [
        CartItem(id=UUID(item_id), cart=cart, variant_id=UUID(variant_id), quantity=quantity)
        for item_id, variant_id, quantity in seen.seen_lines or ()
    ]


def change_cart(holder: Holder, cart_id: UUID, version: int | None, **values: Any) -> Cart:
    """Lock the holder's open cart and count its version up, in one statement.

    Raises UnknownCart, CartIsOrdered, VersionMismatch.
    """
    cart = change_open_cart(holder, cart_id, version, **values)
    if cart is not None:
        return cart
    cart = cart_of(holder=holder, cart_id=cart_id)
    if cart.status == Cart.Status.ORDERED:
        raise CartIsOrdered("This cart has become an order.")
    raise VersionMismatch("The cart has changed since.", version=cart.version)


def _variant_id_of(sku: str) -> UUID:
    offer = catalog.offers_by_sku(skus=[sku]).get(sku)
    if offer is None:
        raise UnknownVariant("Nothing like this is sold now.")
    return offer.variant_id
