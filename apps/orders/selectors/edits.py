"""What an order would be with other quantities: its lines, its amounts, its promotions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from apps.orders.models import Order, OrderLine, OrderPromotion
from apps.orders.pricing import Charge, Rate, Tax
from apps.orders.pricing.amounts import allocate, rounding_of
from apps.orders.pricing.edits import Edited, SoldGoods, edit
from apps.orders.selectors.sold import parcel_of

Rates = tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Addition:
    """A line that the order does not have yet: its price, and the rates that it bears."""

    line: OrderLine
    quantity: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Additions:
    """What an edit adds: lines, and what the parcel costs more, at which rates if it was free.

    `names` says what rates are called that the order does not bear yet; `included` whether its
    prices are with tax.
    """

    lines: tuple[Addition, ...] = ()
    names: Mapping[Rate, str] = field(default_factory=dict)
    parcel: int = 0
    parcel_rates: Rates = ()
    included: bool = True


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A line of the order, how many pieces it has and will have, and what these cost.

    One that has none yet is new.
    """

    line: OrderLine
    before: int
    quantity: int
    discount: int
    charge: Charge

    @property
    def added(self) -> int:
        """How many pieces it gets; negative: how many are left out."""
        return self.quantity - self.before


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """A promotion of the order, and how much it takes off what is kept."""

    applied: OrderPromotion
    amount: int


@dataclass(frozen=True, slots=True)
class EditPlan:
    """All that an edit changes."""

    lines: list[LinePlan]
    promotions: list[PromotionPlan]
    amounts: dict[str, Any]  # columns of the order
    tax_on_top: bool

    @property
    def removed(self) -> dict[UUID, int]:
        """How many pieces are left out, by variant."""
        return {each.line.variant_id: -each.added for each in self.lines if each.added < 0}

    @property
    def adds(self) -> bool:
        """Whether anything is added."""
        return any(each.added > 0 for each in self.lines)

    @property
    def dearer_rates(self) -> set[Rates]:
        """Of which rates the goods cost more than before, together."""
        more: defaultdict[Rates, int] = defaultdict(int)
        for each in self.lines:
            more[tuple(tax.rate for tax in each.charge.taxes)] += each.charge.total
            if each.before:
                line = each.line
                left = line.total_minor - line.discount_minor
                more[_rates_of(line)] -= left + line.tax_minor
        return {rates for rates, minor in more.items() if minor > 0}


def edit_plan(
    order: Order, quantities: Mapping[UUID, int], additions: Additions | None = None
) -> EditPlan:
    """Return what the order becomes with these quantities, by line; others stay. Two statements."""
    additions = additions or Additions(included=order.tax_minor == 0)
    lines = list(order.lines.order_by("position"))
    wanted = [(line, line.quantity, quantities.get(line.pk, line.quantity)) for line in lines]
    goods = [(_goods_of(line), quantity) for line, _, quantity in wanted]
    for new in additions.lines:
        wanted.append((new.line, 0, new.quantity))
        price = new.line.unit_price_minor
        goods.append((SoldGoods(new.quantity, price, 0, new.rates), new.quantity))
    parcel, left = parcel_of(order, lines), order.shipping_minor - order.shipping_discount_minor
    if not left:  # no amount tells what it would have borne
        parcel = replace(parcel, taxes=tuple(Tax(rate, 0) for rate in additions.parcel_rates))
    edited = edit(
        goods,
        parcel=replace(parcel, subtotal=parcel.subtotal + additions.parcel),
        parcel_left=left + additions.parcel,
        included=additions.included,
        rounding=rounding_of(order.currency),
    )
    plans = [
        LinePlan(line, before, quantity, discount, charge)
        for (line, before, quantity), discount, charge in zip(
            wanted, edited.discounts, edited.charges, strict=True
        )
    ]
    off_goods = sum(edited.discounts)
    return EditPlan(
        plans,
        _promotions_of(order, off_goods),
        _amounts_of(order, edited, off_goods, additions),
        tax_on_top=not additions.included,
    )


def _goods_of(line: OrderLine) -> SoldGoods:
    return SoldGoods(line.quantity, line.unit_price_minor, line.discount_minor, _rates_of(line))


def _rates_of(line: OrderLine) -> Rates:
    return tuple(Rate(tax["code"], tax["ppm"]) for tax in line.taxes)


def _amounts_of(
    order: Order, edited: Edited, off_goods: int, additions: Additions
) -> dict[str, Any]:
    charges = [*edited.charges, edited.parcel]
    tax = sum(charge.tax for charge in charges)
    included = additions.included
    items = sum(charge.subtotal for charge in edited.charges)
    return {
        "items_minor": items,
        "discount_minor": off_goods + order.shipping_discount_minor,
        "shipping_minor": edited.parcel.subtotal,
        "tax_minor": 0 if included else tax,
        "tax_included_minor": tax if included else 0,
        "shipping_tax_minor": edited.parcel.tax,
        "taxes": list(_taxes_of(order, charges, additions.names)),
        "grand_total_minor": edited.total,
    }


def _taxes_of(
    order: Order, charges: list[Charge], names: Mapping[Rate, str]
) -> Iterator[dict[str, Any]]:
    new = [{"code": rate.code, "name": name, "ppm": rate.ppm} for rate, name in names.items()]
    for said in sorted([*order.taxes, *new], key=lambda each: (each["code"], each["ppm"])):
        bearing = [c for c in charges if any(_is(said, tax.rate) for tax in c.taxes)]
        if not any(c.subtotal for c in bearing):  # what bore it is left out
            continue
        amounts = [tax.amount for c in bearing for tax in c.taxes if _is(said, tax.rate)]
        yield {**said, "net": sum(c.net for c in bearing), "amount": sum(amounts)}


def _is(said: dict[str, Any], rate: Rate) -> bool:
    return (said["code"], said["ppm"]) == (rate.code, rate.ppm)


def _promotions_of(order: Order, off_goods: int) -> list[PromotionPlan]:
    """Divide what is still taken off the goods among the promotions that took it off."""
    rows = list(
        OrderPromotion.objects.filter(order=order).select_related("promotion").order_by("position")
    )
    on_goods = [row for row in rows if not _off_parcel(row)]
    shares = allocate(off_goods, [row.amount_minor for row in on_goods])
    kept = {row.pk: share for row, share in zip(on_goods, shares, strict=True)}
    return [PromotionPlan(row, kept.get(row.pk, row.amount_minor)) for row in rows]


def _off_parcel(row: OrderPromotion) -> bool:
    return row.promotion.frees_the_parcel if row.off_parcel is None else row.off_parcel
