"""Carts and orders as the services make them. Public to the tests of all apps."""

from typing import Any

from apps.catalog.tests.factories import VariantFactory
from apps.orders.models import Cart, Order
from apps.orders.selectors.orders import Holder
from apps.orders.services import carts, checkout

ADDRESS = {
    "first_name": "Robin",
    "last_name": "Doe",
    "line1": "1 Main Street",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62701",
    "country": "US",
}
VISA = checkout.PaymentChoice(provider="stripe", method="pm_card_visa")
DECLINED = checkout.PaymentChoice(provider="stripe", method="pm_card_visa_chargeDeclined")
THREE_D_SECURE = checkout.PaymentChoice(provider="stripe", method="pm_card_threeDSecure2Required")


def ready_cart(quantities: dict[Any, int] | None = None) -> tuple[Cart, Holder]:
    """Return a guest's cart that can be ordered, and who holds it."""
    cart, token = carts.open_cart(customer_id=None)
    holder = Holder(token=token)
    quantities = quantities or {VariantFactory.create(stock=10).pk: 1}
    carts.replace_items(holder=holder, cart_id=cart.pk, quantities=quantities, version=None)
    carts.set_details(
        holder=holder,
        cart_id=cart.pk,
        version=None,
        email="robin@example.com",
        shipping_address=ADDRESS,
    )
    carts.choose_shipping(holder=holder, cart_id=cart.pk, code="standard", version=None)
    cart.refresh_from_db()
    return cart, holder


def placed_order(
    quantities: dict[Any, int] | None = None, *, payment: checkout.PaymentChoice = VISA
) -> tuple[Order, Holder]:
    """Return an unpaid order and who holds it."""
    cart, holder = ready_cart(quantities)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=payment)
    order = Order.objects.get(pk=placed.whole.order.pk)
    return order, Holder(token=placed.token)
