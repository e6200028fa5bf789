"""Reads: the one door to a cart and to an order, and lists of orders."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONArray

from apps.kernel.errors import NotFound
from apps.orders.models import (
    Cart,
    CartItem,
    Order,
    OrderLine,
    OrderPromotion,
    OrderTender,
    PaymentAttempt,
    Refund,
    Replacement,
    Shipment,
    StoredValue,
)
from apps.orders.selectors.stored_value import BALANCES, balances_from


class UnknownOrder(NotFound):
    """There is no such order, or it is somebody else's."""

    code = "unknown_order"


class UnknownCart(NotFound):
    """There is no such cart, or it is somebody else's."""

    code = "unknown_cart"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: a customer, whoever holds a guest's token, or staff with rights to any order.

    `may_read` is an order that is not theirs, and that they were let see.
    """

    customer_id: UUID | None = None
    token: str = ""
    customer_group_id: UUID | None = None
    sees_all: bool = False
    cancels_all: bool = False
    refunds_all: bool = False
    decides_returns: bool = False
    sees_returns: bool = False
    recently_proven: bool = True
    may_read: UUID | None = None

    @property
    def token_hash(self) -> str:
        return hash_of(self.token) if self.token else ""

    def bought(self, order: Order) -> bool:
        """Whether the order is the holder's own."""
        if order.customer_id:
            return order.customer_id == self.customer_id
        return bool(self.token) and order.token_hash == self.token_hash

    def owns(self) -> Q:
        """Return the condition for the rows that are the holder's."""
        mine = Q(pk__in=[])
        if self.customer_id:
            mine |= Q(customer_id=self.customer_id)
        if self.token:
            mine |= Q(customer_id=None, token_hash=self.token_hash)
        return mine


ITEMS = ArraySubquery(
    CartItem.objects.filter(cart=OuterRef("pk"))
    .order_by("created_at", "id")
    .values(line=JSONArray("id", "variant_id", "quantity", "seen_price_minor"))
)

STORE = Holder(
    sees_all=True, cancels_all=True, refunds_all=True, decides_returns=True, sees_returns=True
)


def hash_of(token: str) -> str:
    """Return what is stored of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


def cart_of(*, holder: Holder, cart_id: UUID) -> Cart:
    """Return the holder's cart, ordered or not. Raises UnknownCart."""
    cart = Cart.objects.filter(holder.owns(), pk=cart_id).first()
    if cart is None:
        raise UnknownCart("There is no such cart.")
    return cart


def whole_cart(
    *, holder: Holder, cart_id: UUID | None = None
) -> tuple[Cart, list[CartItem], list[StoredValue]]:
    """Return the holder's cart, or the newest open one, its lines, and the balances that it names.

    One statement. Raises UnknownCart.
    """
    carts = Cart.objects.filter(holder.owns()).annotate(lines=ITEMS, balances=BALANCES)
    which = {"pk": cart_id} if cart_id else {"status": Cart.Status.OPEN}
    cart = carts.filter(**which).order_by("-created_at", "-id").first()
    if cart is None:
        raise UnknownCart("There is no such cart." if cart_id else "There is no open cart.")
    return cart, lines_from(cart.lines, cart=cart), balances_from(cart.balances)


def lines_from(rows: Iterable[Sequence[Any]], *, cart: Cart) -> list[CartItem]:
    """Return the lines that a statement about the cart has brought along."""
    return [
        CartItem(
            id=UUID(item_id),
            cart=cart,
            variant_id=UUID(variant_id),
            quantity=quantity,
            seen_price_minor=seen_price,
        )
        for item_id, variant_id, quantity, seen_price in rows
    ]


def orders_of(*, holder: Holder) -> QuerySet[Order]:
    """Return the orders that the holder may see."""
    if holder.sees_all:
        return Order.objects.all()
    return Order.objects.filter(holder.owns() | Q(pk=holder.may_read))


def order_of(*, holder: Holder, order_id: UUID) -> Order:
    """Return the holder's order. Raises UnknownOrder."""
    order = orders_of(holder=holder).filter(pk=order_id).first()
    if order is None:
        raise UnknownOrder("There is no such order.")
    return order


def order_numbered(number: int, *, holder: Holder) -> Order:
    """Return the holder's order by its number. Raises UnknownOrder."""
    order = orders_of(holder=holder).filter(number=number).first()
    if order is None:
        raise UnknownOrder("There is no such order.")
    return order


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """An order with all that its document shows, in the order in which it came about."""

    order: Order
    lines: list[OrderLine] = field(default_factory=list)
    attempts: list[PaymentAttempt] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    promotions: list[OrderPromotion] = field(default_factory=list)
    tenders: list[OrderTender] = field(default_factory=list)
    replaced: list[Replacement] = field(default_factory=list)


def whole(orders: Iterable[Order]) -> list[WholeOrder]:
    """Return the orders with all that belongs to them, in at most eight statements."""
    wholes = {order.pk: WholeOrder(order) for order in orders}
    for line in OrderLine.objects.filter(order__in=wholes).order_by("position"):
        wholes[line.order_id].lines.append(line)
    for attempt in PaymentAttempt.objects.filter(order__in=wholes).order_by("created_at", "id"):
        wholes[attempt.order_id].attempts.append(attempt)
    refunds = Refund.objects.filter(attempt__order__in=wholes).select_related("attempt")
    for refund in refunds.order_by("created_at", "id"):
        wholes[refund.attempt.order_id].refunds.append(refund)
    for shipment in Shipment.objects.filter(order__in=wholes).order_by("created_at", "id"):
        wholes[shipment.order_id].shipments.append(shipment)
    if any(each.order.discount_minor for each in wholes.values()):
        for applied in OrderPromotion.objects.filter(order__in=wholes).order_by("position"):
            wholes[applied.order_id].promotions.append(applied)
    if any(each.order.tendered_minor for each in wholes.values()):
        tenders = OrderTender.objects.filter(order__in=wholes).select_related("account")
        for tender in tenders.order_by("position"):
            wholes[tender.order_id].tenders.append(tender)
    if any(each.order.exchanged_minor for each in wholes.values()):
        for made in Replacement.objects.filter(order__in=wholes).select_related("parent"):
            wholes[made.order_id].replaced.append(made)
    return list(wholes.values())
