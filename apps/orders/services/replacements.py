"""The order that brings what was exchanged: goods that came back pay for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.catalog import interface as catalog
from apps.kernel.ids import new_id
from apps.orders.models import Exchange, Order, OrderLine, Replacement, Return
from apps.orders.pricing import Refunded, Tax
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.services import ledger
from apps.orders.services.order_numbers import write_numbered
from apps.orders.services.transitions import move, record
from apps.orders.states import OrderStatus


@dataclass(frozen=True, slots=True)
class Part:
    """So many pieces that are exchanged, and what those that came back for them have cost."""

    exchange: Exchange
    unit_price: int  # of what came back
    quantity: int
    worth: Refunded


@dataclass(frozen=True, slots=True)
class Charged:
    """What pieces of a replacement cost: what came back for them, or less in proportion."""

    part: Part
    left: int  # what the price comes to without the discount
    taxes: tuple[Tax, ...]
    on_top: bool

    @property
    def subtotal(self) -> int:
        return self.part.exchange.unit_price_minor * self.part.quantity

    @property
    def tax(self) -> int:
        return sum(tax.amount for tax in self.taxes)

    @property
    def total(self) -> int:
        return self.left + (self.tax if self.on_top else 0)


@dataclass(frozen=True, slots=True)
class Held:
    """A replacement whose goods are held: its id, and what it costs."""

    order_id: UUID
    lines: list[Charged]

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)


def hold_replacement(order: Order, parts: Sequence[Part]) -> Held | None:
    """Hold what is wanted for goods of a locked order that came back.

    None when nothing is wanted, when it is sold out, or when the money that would pay for it has
    gone back already: then money goes back as without an exchange.
    """
    if not parts:
        return None
    ledger.complete(order.pk)
    held = Held(new_id(), [charged(part, on_top=order.tax_minor > 0) for part in parts])
    if held.total > refundable_minor(order.pk):
        return None
    try:
        with transaction.atomic():
            catalog.reserve(
                order_id=held.order_id,
                quantities={part.exchange.variant_id: part.quantity for part in parts},
            )
    except catalog.OutOfStock:
        return None
    return held


def place_replacement(held: Held, found: Return) -> Order:
    """Place the order of what is held, paid by the goods of a return. Call it last."""
    before = found.order
    on_top = sum(line.tax for line in held.lines) if before.tax_minor else 0
    included = 0 if before.tax_minor else sum(line.tax for line in held.lines)
    order = Order(
        id=held.order_id,
        cart_id=found.pk,
        customer_id=before.customer_id,
        token_hash=before.token_hash,
        email=before.email,
        currency=before.currency,
        items_minor=sum(line.subtotal for line in held.lines),
        discount_minor=sum(line.subtotal - line.left for line in held.lines),
        shipping_minor=0,
        tax_minor=on_top,
        tax_included_minor=included,
        taxes=_taxes_of(held.lines, before.taxes),
        grand_total_minor=held.total,
        exchanged_minor=held.total,
        shipping_address=before.shipping_address,
        shipping_option=before.shipping_option,
    )
    OrderLine.objects.bulk_create(
        _line(order, line, position) for position, line in enumerate(held.lines, 1)
    )
    Replacement.objects.create(parent=found, order=order, paid_minor=held.total)
    reason = f"Instead of goods of order {before.shown_number}."
    record(order, OrderStatus.PENDING_PAYMENT, before=None, actor_id=None, reason=reason)
    catalog.allocate(order_id=order.pk)
    write_numbered(order, pay_within=timedelta())
    move(order, OrderStatus.PAID, reason="Goods that came back pay for it.")
    return order


def charged(part: Part, *, on_top: bool) -> Charged:
    """Return what pieces of a replacement cost.

    It is the worth of what came back, made smaller in proportion to the prices of a piece.
    """
    now, before = part.exchange.unit_price_minor, part.unit_price

    def share(minor: int) -> int:
        return minor * now // before if before else 0

    left = share(part.worth.net if on_top else part.worth.total)
    taxes = tuple(Tax(tax.rate, share(tax.amount)) for tax in part.worth.taxes)
    # Rounding may have given these pieces a minor unit that others have not got.
    return Charged(part, min(left, now * part.quantity), taxes, on_top)


def _line(order: Order, line: Charged, position: int) -> OrderLine:
    exchange = line.part.exchange
    return OrderLine(
        order=order,
        position=position,
        product_id=exchange.product_id,
        variant_id=exchange.variant_id,
        sku=exchange.sku,
        name=exchange.name,
        quantity=line.part.quantity,
        list_price_minor=exchange.list_price_minor,
        unit_price_minor=exchange.unit_price_minor,
        total_minor=line.subtotal,
        discount_minor=line.subtotal - line.left,
        tax_minor=line.tax if line.on_top else 0,
        tax_included_minor=0 if line.on_top else line.tax,
        taxes=[
            {"code": tax.rate.code, "ppm": tax.rate.ppm, "amount": tax.amount} for tax in line.taxes
        ],
    )


def _taxes_of(lines: Sequence[Charged], said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = {(each["code"], each["ppm"]): each["name"] for each in said}
    nets: defaultdict[tuple[str, int], int] = defaultdict(int)
    amounts: defaultdict[tuple[str, int], int] = defaultdict(int)
    for line in lines:
        for tax in line.taxes:
            key = (tax.rate.code, tax.rate.ppm)
            nets[key] += line.total - line.tax
            amounts[key] += tax.amount
    return [
        {
            "code": code,
            "name": names[code, ppm],
            "ppm": ppm,
            "net": net,
            "amount": amounts[code, ppm],
        }
        for (code, ppm), net in sorted(nets.items())
        if net or amounts[code, ppm]
    ]
