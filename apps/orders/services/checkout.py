"""Turning a cart into an order, and asking for its money again."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.catalog import interface as catalog
from apps.kernel.errors import Conflict, Forbidden, Invalid, VersionMismatch
from apps.kernel.money import Money
from apps.orders.models import Cart, Order, OrderLine, PaymentAttempt
from apps.orders.selectors.orders import Holder, WholeOrder, cart_of, hash_of, order_of, whole
from apps.orders.services.cart_prices import PricedCart, price_cart
from apps.orders.services.carts import change_open_cart, items_of
from apps.orders.services.held_units import hold
from apps.orders.services.ledger import post_sale
from apps.orders.services.order_numbers import write_numbered
from apps.orders.services.tenders import take as take_tenders
from apps.orders.services.transitions import OrderStatusConflict, locked, move, record
from apps.orders.services.uses import PromotionUsedUp, take
from apps.orders.states import OrderStatus


class CartNotReady(Conflict):
    """Something is still in the way of ordering the cart; `problems` says what."""

    code = "cart_not_ready"


class TotalChanged(Conflict):
    """The cart costs something else than the shopper agreed to."""

    code = "total_changed"


class UnknownPaymentProvider(Invalid):
    """The store does not take payments that way."""

    code = "unknown_payment_provider"


class NotTheBuyer(Forbidden):
    """You may see this order, but not pay it."""

    code = "not_the_buyer"


class PaymentUnderWay(Conflict):
    """A payment of this order is being made or has been made."""

    code = "payment_under_way"


@dataclass(frozen=True, slots=True)
class PaymentChoice:
    """How the shopper pays: a provider and its reference of a card, never the card."""

    provider: str
    method: str


@dataclass(frozen=True, slots=True)
class Placed:
    """The order of a cart; `created` is False when the cart had been ordered before."""

    whole: WholeOrder
    token: str
    created: bool


PROVIDERS = frozenset({"stripe"})


@transaction.atomic(savepoint=False)
def place_order(
    *,
    holder: Holder,
    cart_id: UUID,
    payment: PaymentChoice,
    email: str = "",
    expected_total: Money | None = None,
    expected_to_pay: Money | None = None,
    version: int | None = None,
    ip: str | None = None,
) -> Placed:
    """Make the cart an order, reserve its stock and promise to charge it, all or nothing.

    A cart becomes one order: whoever repeats the call gets that order. Gift cards and store credit
    pay at once; nothing else is charged here, the payment attempt is the durable row that a worker
    acts on. `ip` is where the shopper asks from.

    Raises UnknownCart, VersionMismatch, CartNotReady, TotalChanged, UnknownPaymentProvider,
    PromotionUsedUp, PromotionChanged, ExpectedToPayMissing, ToPayChanged, GiftCardsNotUsable,
    TooManyUnitsHeld, catalog.OutOfStock.
    """
    if payment.provider not in PROVIDERS:
        raise UnknownPaymentProvider("Pay with one of: stripe.")
    cart = _close(holder, cart_id, version, email)
    if cart is None:
        [placed_before] = whole(Order.objects.filter(cart_id=cart_id))
        return Placed(placed_before, token="", created=False)
    priced = price_cart(cart, holder=holder, items=items_of(cart), with_tenders=False)
    _refuse_unless_ready(priced, expected_total)
    token = "" if cart.customer_id else secrets.token_urlsafe(32)
    order = _order_of(priced, token)
    lines = _write_lines(order, priced)
    promotions = take(order, priced.quote, priced.rules)
    tenders = take_tenders(order, cart, expected_to_pay=expected_to_pay)
    attempts = _promise_payment(order, payment)
    record(order, OrderStatus.PENDING_PAYMENT, before=None, actor_id=holder.customer_id, reason="")
    # The stock rows come late, and the order with its number last: they are what others wait for.
    catalog.reserve(
        order_id=order.pk,
        quantities={line.item.variant_id: line.item.quantity for line in priced.lines},
        hold_for=settings.ORDER_PAYMENT_WINDOW,
    )
    to_pay = order.to_pay_minor
    if to_pay == 0:
        catalog.allocate(order_id=order.pk)
        if tenders:
            post_sale(order)
    else:
        hold(order, units=sum(line.quantity for line in lines), ip=ip)
    write_numbered(order, pay_within=settings.ORDER_PAYMENT_WINDOW)
    if to_pay == 0:
        move(order, OrderStatus.PAID, reason="Nothing to pay.")
    placed = WholeOrder(order, lines, attempts, promotions=promotions, tenders=tenders)
    return Placed(placed, token, created=True)


@transaction.atomic
def pay_again(*, holder: Holder, order_id: UUID, payment: PaymentChoice) -> Order:
    """Promise to charge an unpaid order after an earlier payment has failed.

    Raises UnknownOrder, OrderStatusConflict, UnknownPaymentProvider, PaymentUnderWay; NotTheBuyer
    for staff, who may see the order.
    """
    if payment.provider not in PROVIDERS:
        raise UnknownPaymentProvider("Pay with one of: stripe.")
    order = locked(order_of(holder=holder, order_id=order_id).pk)
    if not holder.bought(order):
        raise NotTheBuyer("You may see this order, but not pay it.")
    if order.status != OrderStatus.PENDING_PAYMENT:
        raise OrderStatusConflict(f"The order is {order.status}.", status=order.status)
    try:
        with transaction.atomic():
            _promise_payment(order, payment)
    except IntegrityError as error:
        raise PaymentUnderWay("A payment of this order is under way.") from error
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
    order.version += 1
    return order


def _close(holder: Holder, cart_id: UUID, version: int | None, email: str) -> Cart | None:
    """Lock the open cart and close it. Returns None when it has become an order before."""
    values = {"email": email} if email else {}
    cart = change_open_cart(holder, cart_id, version, status=Cart.Status.ORDERED, **values)
    if cart is not None:
        return cart
    cart = cart_of(holder=holder, cart_id=cart_id)
    if cart.status == Cart.Status.ORDERED:
        return None
    raise VersionMismatch("The cart has changed since.", version=cart.version)


def _refuse_unless_ready(priced: PricedCart, expected_total: Money | None) -> None:
    if gone := priced.used_up:
        raise PromotionUsedUp("A code is used up; take it out of the cart.", codes=gone)
    # Only the reservation decides on stock; what the cart shows of it may be old already. Who says
    # the total has seen the prices, and nobody minds a lower one.
    passed = {"insufficient_stock"}
    if expected_total is not None or not priced.is_dearer:
        passed.add("price_changed")
    blockers = [p for p in priced.problems if p.code not in passed]
    if blockers:
        raise CartNotReady(
            "The cart cannot be ordered yet.",
            problems=[problem.document for problem in blockers],
        )
    if expected_total is not None and expected_total != priced.totals.grand_total:
        raise TotalChanged("The total has changed.", grand_total=priced.totals.grand_total)


def _order_of(priced: PricedCart, token: str) -> Order:
    cart, totals, shipping = priced.cart, priced.totals, priced.quote.shipping
    return Order(
        cart_id=cart.pk,
        customer_id=cart.customer_id,
        token_hash=hash_of(token) if token else "",
        email=cart.email,
        currency=cart.currency,
        items_minor=totals.items.minor,
        discount_minor=totals.discount.minor,
        shipping_minor=totals.shipping.minor,
        tax_minor=totals.tax.minor,
        tax_included_minor=priced.quote.tax_included.minor,
        shipping_discount_minor=shipping.discount,
        shipping_tax_minor=shipping.tax,
        taxes=[
            {
                "code": each.rate.code,
                "name": priced.taxes.name_of(each.rate),
                "ppm": each.rate.ppm,
                "net": each.net,
                "amount": each.amount,
            }
            for each in priced.quote.taxes
        ],
        grand_total_minor=totals.grand_total.minor,
        shipping_address=cart.shipping_address,
        shipping_option=cart.shipping_option,
    )


def _write_lines(order: Order, priced: PricedCart) -> list[OrderLine]:
    names = {line.offer.variant_id: line.offer.name for line in priced.lines if line.offer}
    return OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=position,
            product_id=quoted.line.product_id,
            variant_id=quoted.line.variant_id,
            sku=quoted.line.sku,
            name=names[quoted.line.variant_id],
            quantity=quoted.line.quantity,
            list_price_minor=quoted.line.list_price,
            unit_price_minor=quoted.line.unit_price,
            total_minor=quoted.charge.subtotal,
            discount_minor=quoted.charge.discount,
            tax_minor=quoted.charge.tax_on_top,
            tax_included_minor=quoted.charge.tax - quoted.charge.tax_on_top,
            taxes=[
                {"code": tax.rate.code, "ppm": tax.rate.ppm, "amount": tax.amount}
                for tax in quoted.charge.taxes
            ],
        )
        for position, quoted in enumerate(priced.quote.lines, 1)
    )


def _promise_payment(order: Order, payment: PaymentChoice) -> list[PaymentAttempt]:
    if order.to_pay_minor == 0:
        return []
    return [
        PaymentAttempt.objects.create(
            order=order,
            provider=payment.provider,
            method=payment.method,
            amount_minor=order.to_pay_minor,
            currency=order.currency,
            next_action_at=Now(),
        )
    ]
