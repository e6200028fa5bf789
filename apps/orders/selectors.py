"""Reads: the one door to a cart and to an order, and lists of orders."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from apps.kernel.errors import NotFound
from apps.orders.models import Cart, Order, PaymentAttempt, Shipment


class UnknownOrder(NotFound):
    """There is no such order, or it is somebody else's."""

    code = "unknown_order"


class UnknownCart(NotFound):
    """There is no such cart, or it is somebody else's."""

    code = "unknown_cart"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: a customer, whoever holds a guest's token, or staff who may see everything."""

    customer_id: UUID | None = None
    token: str = ""
    sees_all: bool = False

    @property
    def token_hash(self) -> str:
        return hash_of(self.token) if self.token else ""

    def owns(self) -> Q:
        """Return the condition for the rows that are the holder's."""
        mine = Q(pk__in=[])
        if self.customer_id:
            mine |= Q(customer_id=self.customer_id)
        if self.token:
            mine |= Q(customer_id=None, token_hash=self.token_hash)
        return mine


def hash_of(token: str) -> str:
    """Return what is stored of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


def cart_of(*, holder: Holder, cart_id: UUID) -> Cart:
    """Return the holder's cart, ordered or not. Raises UnknownCart."""
    cart = Cart.objects.filter(holder.owns(), pk=cart_id).first()
    if cart is None:
        raise UnknownCart("There is no such cart.")
    return cart


def latest_cart_of(*, customer_id: UUID) -> Cart:
    """Return the customer's newest open cart. Raises UnknownCart."""
    carts = Cart.objects.filter(customer_id=customer_id, status=Cart.Status.OPEN)
    cart = carts.order_by("-created_at", "-id").first()
    if cart is None:
        raise UnknownCart("There is no open cart.")
    return cart


def orders_of(*, holder: Holder) -> QuerySet[Order]:
    """Return the orders that the holder may see."""
    return Order.objects.all() if holder.sees_all else Order.objects.filter(holder.owns())


def order_of(*, holder: Holder, order_id: UUID) -> Order:
    """Return the holder's order with its lines, payments and shipments. Raises UnknownOrder."""
    order = complete(orders_of(holder=holder)).filter(pk=order_id).first()
    if order is None:
        raise UnknownOrder("There is no such order.")
    return order


def complete(orders: QuerySet[Order, Any]) -> QuerySet[Order, Any]:
    """Return the orders with everything their documents show."""
    return orders.prefetch_related(
        "lines",
        Prefetch(
            "attempts",
            PaymentAttempt.objects.order_by("created_at", "id").prefetch_related("refunds"),
        ),
        Prefetch("shipments", Shipment.objects.order_by("created_at", "id")),
        "history",
    )
