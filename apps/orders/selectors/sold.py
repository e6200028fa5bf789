"""What was paid for an order, piece by piece, as it remembers it."""

from collections import Counter
from collections.abc import Iterable

from apps.orders.models import Order, OrderLine, Return
from apps.orders.pricing import Charge, Parts, Rate, Sold, SoldLine, Tax
from apps.orders.pricing.amounts import rounding_of
from apps.orders.states import ReturnStatus


def sold_of(order: Order, lines: Iterable[OrderLine]) -> Sold:
    """Return what the order's lines and its parcel have cost. No statement."""
    lines = list(lines)
    sold = {line.variant_id: SoldLine(line.quantity, _charge_of(line)) for line in lines}
    return Sold(sold, parcel_of(order, lines), rounding_of(order.currency).mode)


def parcel_of(order: Order, lines: Iterable[OrderLine]) -> Charge:
    """Return what the parcel has cost: of each tax it bears what the lines do not."""
    borne = Counter({Rate(tax["code"], tax["ppm"]): tax["amount"] for tax in order.taxes})
    for line in lines:
        borne.subtract({Rate(tax["code"], tax["ppm"]): tax["amount"] for tax in line.taxes})
    taxes = tuple(Tax(rate, amount) for rate, amount in borne.items() if amount)
    left = order.shipping_minor - order.shipping_discount_minor
    on_top = 0 if order.tax_included_minor else order.shipping_tax_minor
    return Charge(order.shipping_minor, (), taxes, left + on_top)


def returned_of(order: Order) -> list[Parts]:
    """Return what has come back of an order and was accepted. Two statements."""
    inspected = order.returns.filter(status__in=[ReturnStatus.INSPECTED, ReturnStatus.CLOSED])
    return [_parts_of(each) for each in inspected.prefetch_related("lines__order_line")]


def _parts_of(given_back: Return) -> Parts:
    accepted = {
        line.order_line.variant_id: line.accepted
        for line in given_back.lines.all()
        if line.accepted
    }
    return Parts(accepted, shipping=given_back.refunds_shipping)


def _charge_of(line: OrderLine) -> Charge:
    left = line.total_minor - line.discount_minor
    taxes = tuple(Tax(Rate(tax["code"], tax["ppm"]), tax["amount"]) for tax in line.taxes)
    return Charge(line.total_minor, (), taxes, left + line.tax_minor)
