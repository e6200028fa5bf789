"""What an edit adds to an order: at the prices of now, with the taxes that the order bears."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from django.utils import timezone

from apps.catalog import interface as catalog
from apps.kernel.errors import Conflict, Invalid
from apps.kernel.money import Money
from apps.orders.carriers import TableRates
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES, Order, OrderLine
from apps.orders.pricing import Rate
from apps.orders.selectors.edits import Addition, Additions
from apps.orders.services.carts import QuantityTooLarge, UnknownVariant
from apps.orders.services.taxes import Applicable, applicable
from apps.orders.services.transitions import OrderStatusConflict
from apps.orders.states import OrderStatus
from apps.users import interface as users


class LineIsThere(Invalid):
    """The order has a line of this variant: say how many pieces that has."""

    code = "line_is_there"


class OrderIsFull(Conflict):
    """An order has at most so many lines."""

    code = "order_is_full"


class PriceChanged(Conflict):
    """A piece costs something else now than the pieces of its line; it needs an order of its own.

    `before` and `now` say how much.
    """

    code = "price_changed"


class TaxesChanged(Conflict):
    """The store has changed the taxes that the order was placed with: order it anew."""

    code = "taxes_changed"


class TaxesDiffer(Conflict):
    """What is given would be taxed in another way than what is taken back: order it anew."""

    code = "taxes_differ"


def additions_to(
    order: Order,
    lines: Sequence[OrderLine],
    *,
    quantities: Mapping[UUID, int],
    variants: Mapping[UUID, int],
) -> Additions | None:
    """Return what these quantities, by line, and new variants add to an order; None for nothing.

    A new line costs what its buyer would pay for it now, and a line is raised only at its own
    price. Promotions take nothing off. The parcel costs more if so much weight does.

    Raises OrderStatusConflict, LineIsThere, OrderIsFull, QuantityTooLarge, UnknownVariant,
    PriceChanged, TaxesChanged, catalog.OutOfStock.
    """
    more = {
        line.variant_id: quantities[line.pk] - line.quantity
        for line in lines
        if quantities.get(line.pk, 0) > line.quantity
    }
    if not (more or variants):
        return None
    if order.status == OrderStatus.PENDING_PAYMENT and order.expires_at <= timezone.now():
        raise OrderStatusConflict("The time to pay is over.", status=order.status)
    there = {line.variant_id: line for line in lines}
    for variant_id in variants.keys() & there.keys():
        raise LineIsThere("It has a line.", order_line_id=there[variant_id].pk)
    left = [line for line in lines if quantities.get(line.pk, line.quantity)]
    if len(left) + len(variants) > MOST_LINES:
        raise OrderIsFull(f"An order has at most {MOST_LINES} lines.")
    if any(quantity > LARGEST_QUANTITY for quantity in variants.values()):
        raise QuantityTooLarge(f"An order takes at most {LARGEST_QUANTITY} of one thing.")
    sold = offers_to(order, [*there, *variants])
    _refuse_what_is_not_sold(sold, more, variants)
    for variant_id in more:
        line, offer = there[variant_id], sold[variant_id]
        _refuse_another_price(line, offer.price_for(quantities[line.pk]))
    taxes = applicable(order.shipping_address, order.placed_at)
    _refuse_other_taxes(order, taxes)
    before = {line.variant_id: line.quantity for line in lines}
    after = {line.variant_id: quantities.get(line.pk, line.quantity) for line in lines}
    new = [
        Addition(
            _line(order, sold[variant_id], quantity, position),
            quantity,
            taxes.taxes.on(sold[variant_id].tax_class),
        )
        for position, (variant_id, quantity) in enumerate(
            variants.items(), max((line.position for line in lines), default=0) + 1
        )
    ]
    on_parcel = taxes.taxes.on_parcel("")
    return Additions(
        tuple(new),
        names=_new_names(
            order, taxes, [*(rate for each in new for rate in each.rates), *on_parcel]
        ),
        parcel=max(0, _parcel(order, sold, {**after, **variants}) - _parcel(order, sold, before)),
        parcel_rates=on_parcel,
        included=_included(order, taxes),
    )


def offers_to(order: Order, variant_ids: Sequence[UUID]) -> dict[UUID, catalog.Offer]:
    """Return what the catalog offers the buyer of an order now, whoever asks."""
    groups = users.groups_of(user_ids=[order.customer_id]) if order.customer_id else {}
    return catalog.offers(
        variant_ids=variant_ids,
        currency=order.currency,
        customer_group_id=groups.get(order.customer_id) if order.customer_id else None,
    )


def _refuse_what_is_not_sold(
    sold: Mapping[UUID, catalog.Offer], more: Mapping[UUID, int], variants: Mapping[UUID, int]
) -> None:
    wanted = {**more, **variants}
    for variant_id in wanted:
        if variant_id not in sold:
            raise UnknownVariant("This is not sold now.", variant_id=variant_id)
    short = [
        sold[variant_id].sku
        for variant_id, quantity in wanted.items()
        if sold[variant_id].available < quantity
    ]
    if short:
        raise catalog.OutOfStock("There is not enough left.", skus=sorted(short))


def _refuse_another_price(line: OrderLine, now: Money) -> None:
    if now.minor != line.unit_price_minor:
        raise PriceChanged(
            "A piece costs something else now.",
            order_line_id=line.pk,
            before=Money(line.unit_price_minor, now.currency),
            now=now,
        )


def _refuse_other_taxes(order: Order, found: Applicable) -> None:
    """The tables tell what was in force when the order was placed, unless somebody changed that."""
    known = {(rate.code, rate.ppm) for rates in found.taxes.rates.values() for rate in rates}
    borne = {(each["code"], each["ppm"]) for each in order.taxes}
    taxed = order.tax_minor or order.tax_included_minor
    if not borne <= known or (taxed and _included(order, found) != found.taxes.included):
        raise TaxesChanged("The taxes are others by now: order it anew.")


def _included(order: Order, found: Applicable) -> bool:
    if order.tax_minor or order.tax_included_minor:
        return order.tax_minor == 0
    return found.taxes.included


def _new_names(order: Order, found: Applicable, rates: Sequence[Rate]) -> dict[Rate, str]:
    borne = {(each["code"], each["ppm"]) for each in order.taxes}
    return {rate: found.name_of(rate) for rate in rates if (rate.code, rate.ppm) not in borne}


def _line(order: Order, offer: catalog.Offer, quantity: int, position: int) -> OrderLine:
    price = offer.price_for(quantity)
    return OrderLine(
        order=order,
        position=position,
        product_id=offer.product_id,
        variant_id=offer.variant_id,
        sku=offer.sku,
        name=offer.name,
        quantity=quantity,
        list_price_minor=offer.list_price.minor,
        unit_price_minor=price.minor,
        total_minor=price.minor * quantity,
    )


def _parcel(
    order: Order, sold: Mapping[UUID, catalog.Offer], quantities: Mapping[UUID, int]
) -> int:
    """Return what the parcel of so many costs now; what is sold no more weighs nothing."""
    weight = sum(
        sold[variant_id].weight_grams * quantity
        for variant_id, quantity in quantities.items()
        if variant_id in sold
    )
    today: date = timezone.now().date()
    options = TableRates().options(
        country=order.shipping_address.get("country", ""),
        weight_grams=weight,
        currency=order.currency,
        today=today,
    )
    prices = {option.code: option.price.minor for option in options}
    return prices.get(order.shipping_option, 0)
