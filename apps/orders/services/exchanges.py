"""Exchanges: another variant instead of money, for goods that come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.catalog import interface as catalog
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.money import Money
from apps.orders.models import Exchange, Order, OrderLine, Return, ReturnLine
from apps.orders.pricing import Rate
from apps.orders.selectors.orders import Holder
from apps.orders.selectors.returns import return_of
from apps.orders.services.additions import TaxesDiffer, offers_to
from apps.orders.services.carts import UnknownVariant
from apps.orders.services.return_steps import ReturnStatusConflict, locked_return
from apps.orders.services.returns import ReturnNotAllowed
from apps.orders.services.taxes import applicable
from apps.orders.states import ReturnStatus

ON_ITS_WAY = (ReturnStatus.REQUESTED, ReturnStatus.APPROVED)


class UnknownReturnLine(NotFound):
    """The return has no such line."""

    code = "unknown_return_line"


class ExchangeCostsMore(Conflict):
    """A piece of what is wanted costs more than one that comes back: order it, and return this.

    `before` and `now` say how much.
    """

    code = "exchange_costs_more"


@dataclass(frozen=True, slots=True)
class Wish:
    """So many pieces of a variant for as many of a line of the order."""

    order_line: OrderLine
    quantity: int
    variant_id: UUID


@transaction.atomic
def ask_for_exchange(*, holder: Holder, return_id: UUID, variants: Mapping[UUID, UUID]) -> None:
    """Say which variants are wanted for the pieces of which lines of a return, instead of money.

    It stands in place of what was said before; lines that are not named are paid back. Nothing is
    held: that is done when the goods are here. Raises UnknownReturn, ReturnNotAllowed,
    ReturnStatusConflict once the goods are here, UnknownReturnLine, and as `offers_for`.
    """
    found = locked_return(return_of(holder=holder, return_id=return_id).pk)
    if not (holder.bought(found.order) or holder.decides_returns):
        raise ReturnNotAllowed("You may see this order, but not exchange its goods.")
    if found.status not in ON_ITS_WAY:
        raise ReturnStatusConflict(f"The return is {found.status}.", status=found.status)
    write_exchanges(found, variants)
    Order.objects.filter(pk=found.order_id).update(version=F("version") + 1)


def write_exchanges(found: Return, variants: Mapping[UUID, UUID]) -> None:
    """Write down what is wanted for the lines of a locked return. Raises as `ask_for_exchange`."""
    lines = {line.pk: line for line in found.lines.select_related("order_line")}
    for line_id in variants.keys() - lines.keys():
        raise UnknownReturnLine("The return has no such line.", line_id=line_id)
    wishes = {
        line_id: Wish(lines[line_id].order_line, lines[line_id].quantity, variant_id)
        for line_id, variant_id in variants.items()
    }
    offers = offers_for(found.order, list(wishes.values()))
    Exchange.objects.filter(line__parent=found).delete()
    Exchange.objects.bulk_create(
        Exchange(
            line=lines[line_id],
            product_id=offer.product_id,
            variant_id=offer.variant_id,
            sku=offer.sku,
            name=offer.name,
            list_price_minor=offer.list_price.minor,
            unit_price_minor=offer.price_for(wishes[line_id].quantity).minor,
        )
        for line_id, offer in zip(wishes, offers, strict=True)
    )
    record(
        "orders.exchange_asked",
        about=found.pk,
        after={str(line_id): variant_id for line_id, variant_id in variants.items()},
    )


def offers_for(order: Order, wishes: Sequence[Wish]) -> list[catalog.Offer]:
    """Return what is wanted as the catalog offers it now to the buyer, if it can be exchanged.

    Raises UnknownVariant, ExchangeCostsMore, TaxesDiffer, catalog.OutOfStock.
    """
    if not wishes:
        return []
    sold = offers_to(order, [wish.variant_id for wish in wishes])
    taxes = applicable(order.shipping_address, order.placed_at).taxes
    short = []
    for wish in wishes:
        offer = sold.get(wish.variant_id)
        if offer is None:
            raise UnknownVariant("This is not sold now.", variant_id=wish.variant_id)
        _refuse_dearer(wish.order_line, offer.price_for(wish.quantity))
        if taxes.on(offer.tax_class) != _rates_of(wish.order_line):
            raise TaxesDiffer("It is taxed in another way.", variant_id=wish.variant_id)
        if offer.available < wish.quantity:
            short.append(offer.sku)
    if short:
        raise catalog.OutOfStock("There is not enough left.", skus=sorted(short))
    return [sold[wish.variant_id] for wish in wishes]


def exchanges_of(lines: Sequence[ReturnLine]) -> dict[UUID, Exchange]:
    """Return what is wanted for the lines of a return, by line."""
    return Exchange.objects.in_bulk([line.pk for line in lines])


def _refuse_dearer(line: OrderLine, now: Money) -> None:
    if now.minor > line.unit_price_minor:
        raise ExchangeCostsMore(
            "It costs more than what comes back.",
            before=Money(line.unit_price_minor, now.currency),
            now=now,
        )


def _rates_of(line: OrderLine) -> tuple[Rate, ...]:
    return tuple(Rate(tax["code"], tax["ppm"]) for tax in line.taxes)
