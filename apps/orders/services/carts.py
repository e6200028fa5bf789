"""Filling a cart and choosing where and how it goes. Each change is one version."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.kernel.errors import Conflict, Invalid, NotFound, VersionMismatch
from apps.kernel.ids import new_id
from apps.kernel.money import Money
from apps.orders.carriers import TableRates
from apps.orders.carriers.carrier import ShippingOption
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES, Cart, CartItem
from apps.orders.pricing import (
    Basket,
    Line,
    Outcome,
    Quote,
    RuleKind,
    Shipping,
    Taxes,
    Totals,
    Trial,
    quote,
)
from apps.orders.selectors.orders import Holder, cart_of, hash_of
from apps.orders.selectors.promotions import Rules, rules_for
from apps.users import interface as users

# Free shipping counts as soon as it is chosen how the parcel goes.
COUNTING = {Outcome.APPLIED, Outcome.SHIPPING_NOT_CHOSEN}
USED_UP = {Outcome.USED_UP, Outcome.CODE_USED_UP, Outcome.CUSTOMER_USED_UP, Outcome.BUDGET_SPENT}


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


class ShippingAddressMissing(Conflict):
    """Where it goes has to be said first."""

    code = "shipping_address_missing"


class UnknownShippingOption(Invalid):
    """The parcel cannot go there that way."""

    code = "unknown_shipping_option"


@dataclass(frozen=True, slots=True)
class CartLine:
    """A line with what the catalog says of it now; `offer` is None when it is sold no more."""

    item: CartItem
    offer: catalog.Offer | None

    @property
    def unit_price(self) -> Money | None:
        """What each of so many pieces costs."""
        return self.offer.price_for(self.item.quantity) if self.offer else None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps the cart from being ordered, for programs and for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A cart with live prices, what it costs and why, and what is still in the way."""

    cart: Cart
    lines: list[CartLine]
    quote: Quote
    rules: Rules
    problems: list[Problem]

    @property
    def totals(self) -> Totals:
        return self.quote.totals

    @property
    def used_up(self) -> list[str]:
        """The cart's codes that somebody else has used up."""
        return [trial.key for trial in self.codes if trial.outcome in USED_UP]

    @property
    def codes(self) -> list[Trial]:
        """What came of each of the cart's codes."""
        return [trial for trial in self.quote.explanation if trial.kind is RuleKind.CODE]

    @property
    def idle_codes(self) -> list[Trial]:
        """The codes that do not count: nobody orders in the belief that they do."""
        return [trial for trial in self.codes if trial.outcome not in COUNTING]


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
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orders_cartitem (id, cart_id, variant_id, quantity) VALUES (%s, %s, %s, %s)
            ON CONFLICT ON CONSTRAINT cart_item_once_a_variant
            DO UPDATE SET quantity = orders_cartitem.quantity + excluded.quantity
            WHERE orders_cartitem.quantity + excluded.quantity <= %s
            """,
            [new_id(), cart.pk, variant_id, quantity, LARGEST_QUANTITY],
        )
        if not cursor.rowcount:
            raise QuantityTooLarge("A cart takes at most 999 of one thing.")
    priced = price_cart(cart, holder=holder)
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
    return price_cart(change_cart(holder, cart_id, version, **details), holder=holder)


@transaction.atomic
def choose_shipping(*, holder: Holder, cart_id: UUID, code: str, version: int | None) -> PricedCart:
    """Choose a shipping option.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, ShippingAddressMissing,
    UnknownShippingOption.
    """
    cart = change_cart(holder, cart_id, version, shipping_option=code)
    priced = price_cart(cart, holder=holder)
    if all(option.code != code for option in shipping_options(priced)):
        raise UnknownShippingOption("The parcel cannot go there that way.")
    return priced


def drop_cart(*, holder: Holder, cart_id: UUID, version: int | None) -> None:
    """Delete an open cart. Raises UnknownCart, CartIsOrdered, VersionMismatch."""
    with transaction.atomic():
        change_cart(holder, cart_id, version).delete()


def price_cart(cart: Cart, *, holder: Holder) -> PricedCart:
    """Return the cart at the prices that the holder pays now, with all that is in the way."""
    at = timezone.now()
    items = list(CartItem.objects.filter(cart=cart).order_by("created_at", "id"))
    offers = catalog.offers(
        variant_ids=[item.variant_id for item in items],
        currency=cart.currency,
        customer_group_id=holder.customer_group_id,
    )
    lines = [CartLine(item, offers.get(item.variant_id)) for item in items]
    option = next(
        (o for o in _options(cart, lines, at.date()) if o.code == cart.shipping_option), None
    )
    rules = rules_for(
        codes=cart.coupons,
        customer_id=cart.customer_id,
        group_id=holder.customer_group_id,
        at=at,
    )
    quoted = quote(
        Basket(
            currency=cart.currency,
            at=at,
            lines=tuple(_line(line.item, line.offer) for line in lines if line.offer is not None),
            promotions=rules.promotions,
            coupons=rules.coupons,
            customer=rules.customer,
            shipping=Shipping(option.price.minor) if option else None,
            taxes=Taxes(),
        )
    )
    priced = PricedCart(cart, lines, quoted, rules, _problems(cart, lines, option))
    priced.problems.extend(
        Problem("coupon_not_applicable", f"{trial.key}: {trial.outcome}.")
        for trial in priced.idle_codes
    )
    return priced


def shipping_options(priced: PricedCart) -> list[ShippingOption]:
    """Return the ways the cart can be sent. Raises ShippingAddressMissing."""
    if not priced.cart.shipping_address:
        raise ShippingAddressMissing("Set the shipping address first.")
    return _options(priced.cart, priced.lines, timezone.now().date())


def change_open_cart(
    holder: Holder, cart_id: UUID, version: int | None, **values: Any
) -> Cart | None:
    """Lock and change the holder's open cart in one statement; None when there is none like it."""
    columns = {column.name: column for column in Cart._meta.concrete_fields}
    assignments = "".join(f", {columns[name].column} = %s" for name in values)
    prepared = [columns[name].get_db_prep_save(value, connection) for name, value in values.items()]
    changed = Cart.objects.raw(
        f"""
        UPDATE orders_cart SET version = version + 1, updated_at = now(){assignments}
        WHERE id = %s AND status = 'open'
            AND (customer_id = %s OR (customer_id IS NULL AND token_hash = %s AND token_hash <> ''))
            AND (%s::int IS NULL OR version = %s)
        RETURNING *
        """,  # noqa: S608 - the columns' names come from the model
        [*prepared, cart_id, holder.customer_id, holder.token_hash, version, version],
    )
    return next(iter(changed), None)


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


def _line(item: CartItem, offer: catalog.Offer) -> Line:
    tier = offer.tier_for(item.quantity)
    regular = tier.source == "regular"
    return Line(
        variant_id=offer.variant_id,
        sku=offer.sku,
        product_id=offer.product_id,
        quantity=item.quantity,
        list_price=offer.list_price.minor,
        price_list="" if regular else tier.source,
        price_list_price=None if regular else tier.price.minor,
        category_ids=offer.category_ids,
        brand_id=offer.brand_id,
        tags=offer.tags,
        tax_class=offer.tax_class,
    )


def _options(cart: Cart, lines: list[CartLine], today: date) -> list[ShippingOption]:
    if not cart.shipping_address:
        return []
    weight = sum(line.offer.weight_grams * line.item.quantity for line in lines if line.offer)
    return TableRates().options(
        country=cart.shipping_address["country"],
        weight_grams=weight,
        currency=cart.currency,
        today=today,
    )


def _problems(cart: Cart, lines: list[CartLine], option: ShippingOption | None) -> list[Problem]:
    found = []
    if not lines:
        found.append(Problem("cart_is_empty", "There is nothing in the cart."))
    for line in lines:
        if line.offer is None:
            found.append(Problem("item_unavailable", f"Line {line.item.pk} is sold no more."))
        elif line.offer.available < line.item.quantity:
            found.append(
                Problem("insufficient_stock", f"{line.offer.sku}: {line.offer.available} left.")
            )
    if not cart.email:
        found.append(Problem("email_missing", "Say where the confirmation goes."))
    if not cart.shipping_address:
        found.append(Problem("shipping_address_missing", "Say where the parcel goes."))
    elif option is None:
        found.append(Problem("shipping_option_missing", "Choose how the parcel is sent."))
    return found
