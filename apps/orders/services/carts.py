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
from apps.kernel.prepared import prepared, read, typed
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES, Cart, CartItem
from apps.orders.selectors.orders import Holder, cart_of, hash_of, lines_from
from apps.orders.services.cart_prices import (
    PricedCart,
    offers_for,
    price_cart,
    shipping_options,
)
from apps.users import interface as users

ADD = f"""
INSERT INTO orders_cartitem (id, cart_id, variant_id, quantity, seen_price_minor)
VALUES (%(id)s, %(cart)s, %(variant)s, %(quantity)s, %(price)s)
ON CONFLICT ON CONSTRAINT cart_item_once_a_variant DO UPDATE SET
    quantity = orders_cartitem.quantity + excluded.quantity,
    seen_price_minor = excluded.seen_price_minor
WHERE orders_cartitem.quantity + excluded.quantity <= %(most)s
RETURNING {typed(CartItem, "orders_cartitem")}
"""  # noqa: S608 - the columns' names come from the model

SEEN = f"""
    {typed(Cart, "orders_cart")},
    (
        SELECT seen.version::int FROM orders_cart AS seen WHERE seen.id = orders_cart.id
    ) AS seen_version,
    (
        SELECT json_agg(
            json_build_array(item.id, item.variant_id, item.quantity, item.seen_price_minor)
            ORDER BY item.created_at, item.id
        )
        FROM orders_cartitem AS item WHERE item.cart_id = orders_cart.id
    ) AS seen_lines
"""  # noqa: S608 - the columns' names come from the model


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
    lines = {item.variant_id: item for item in items_of(cart)}
    offers = offers_for(cart, holder=holder, variant_ids={*lines, variant_id})
    if variant_id not in offers:
        raise UnknownVariant("Nothing like this is sold now.")
    held = lines[variant_id].quantity if variant_id in lines else 0
    wish: dict[str, Any] = {
        "id": new_id(),
        "cart": cart.pk,
        "variant": variant_id,
        "quantity": quantity,
        "price": offers[variant_id].price_for(held + quantity).minor,
        "most": LARGEST_QUANTITY,
    }
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(ADD, wish)
        row = cursor.fetchone()
    if row is None:
        raise QuantityTooLarge(f"A cart takes at most {LARGEST_QUANTITY} of one thing.")
    lines[variant_id], _ = read(CartItem, row)
    if len(lines) > MOST_LINES:
        raise CartIsFull(f"A cart takes at most {MOST_LINES} lines.")
    return price_cart(cart, holder=holder, items=list(lines.values()), offers=offers)


@transaction.atomic
def set_quantity(
    *, holder: Holder, cart_id: UUID, item_id: UUID, quantity: int, version: int | None
) -> PricedCart:
    """Change a line's quantity; 0 takes the line out.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, UnknownItem.
    """
    cart = change_cart(holder, cart_id, version)
    lines = {item.pk: item for item in items_of(cart)}
    if item_id not in lines:
        raise UnknownItem("The cart has no such line.")
    line, items = lines[item_id], CartItem.objects.filter(pk=item_id)
    offers = offers_for(
        cart, holder=holder, variant_ids=[item.variant_id for item in lines.values()]
    )
    if quantity:
        offer = offers.get(line.variant_id)
        line.quantity = quantity
        line.seen_price_minor = offer.price_for(quantity).minor if offer else None
        items.update(quantity=quantity, seen_price_minor=line.seen_price_minor)
    else:
        del lines[item_id]
        items.delete()
    return price_cart(cart, holder=holder, items=list(lines.values()), offers=offers)


@transaction.atomic
def replace_items(
    *, holder: Holder, cart_id: UUID, quantities: Mapping[UUID, int], version: int | None
) -> PricedCart:
    """Make these the cart's lines, by variant id. Raises as add_item does."""
    cart = change_cart(holder, cart_id, version)
    if len(quantities) > MOST_LINES:
        raise CartIsFull(f"A cart takes at most {MOST_LINES} lines.")
    offers = offers_for(cart, holder=holder, variant_ids=quantities)
    if not offers.keys() >= quantities.keys():
        raise UnknownVariant("Nothing like this is sold now.")
    CartItem.objects.filter(cart=cart).delete()
    items = CartItem.objects.bulk_create(
        CartItem(
            cart=cart,
            variant_id=variant_id,
            quantity=quantity,
            seen_price_minor=offers[variant_id].price_for(quantity).minor,
        )
        for variant_id, quantity in quantities.items()
    )
    return price_cart(cart, holder=holder, items=items, offers=offers)


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
    saved = [columns[name].get_db_prep_save(value, connection) for name, value in values.items()]
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE orders_cart SET version = version + 1, updated_at = now(){assignments}
            WHERE id = %s AND status = 'open' AND (
                customer_id = %s OR (customer_id IS NULL AND token_hash = %s AND token_hash <> '')
            ) AND (%s::int IS NULL OR version = %s)
            RETURNING {SEEN}
            """,  # noqa: S608 - the columns' names come from the model
            [*saved, cart_id, holder.customer_id, holder.token_hash, version, version],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    cart, seen = read(Cart, row)
    vars(cart)["seen_version"], vars(cart)["seen_lines"] = seen
    return cart


def items_of(cart: Cart) -> list[CartItem]:
    """Return the lines of a cart that was just changed, read again if there was another change.

    Who waits for the lock is told what the cart is then, but sees the lines of before.
    """
    seen = cast("Any", cart)
    if seen.seen_version != cart.version - 1:
        return list(CartItem.objects.filter(cart=cart).order_by("created_at", "id"))
    return lines_from(seen.seen_lines or (), cart=cart)


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
