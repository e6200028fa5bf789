"""What an order would be with fewer pieces: its lines, its amounts, its promotions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.orders.models import Order, OrderLine, OrderPromotion
from apps.orders.pricing import Charge, Rate
from apps.orders.pricing.amounts import allocate, rounding_of
from apps.orders.pricing.edits import Edited, SoldGoods, edit
from apps.orders.selectors.sold import parcel_of


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A line of the order, how many pieces are kept, and what they cost."""

    line: OrderLine
    quantity: int
    discount: int
    charge: Charge


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

    @property
    def removed(self) -> dict[UUID, int]:
        """How many pieces are left out, by variant."""
        left_out = {each.line.variant_id: each.line.quantity - each.quantity for each in self.lines}
        return {variant_id: quantity for variant_id, quantity in left_out.items() if quantity}


def edit_plan(order: Order, quantities: Mapping[UUID, int]) -> EditPlan:
    """Return what the order becomes with these quantities, by line; others stay. Two statements."""
    lines = list(order.lines.order_by("position"))
    wanted = [(line, quantities.get(line.pk, line.quantity)) for line in lines]
    edited = edit(
        [(_goods_of(line), quantity) for line, quantity in wanted],
        parcel=parcel_of(order, lines),
        parcel_left=order.shipping_minor - order.shipping_discount_minor,
        included=order.tax_minor == 0,
        rounding=rounding_of(order.currency),
    )
    plans = [
        LinePlan(line, quantity, discount, charge)
        for (line, quantity), discount, charge in zip(
            wanted, edited.discounts, edited.charges, strict=True
        )
    ]
    off_goods = sum(edited.discounts)
    return EditPlan(plans, _promotions_of(order, off_goods), _amounts_of(order, edited, off_goods))


def _goods_of(line: OrderLine) -> SoldGoods:
    rates = tuple(Rate(tax["code"], tax["ppm"]) for tax in line.taxes)
    return SoldGoods(line.quantity, line.unit_price_minor, line.discount_minor, rates)


def _amounts_of(order: Order, edited: Edited, off_goods: int) -> dict[str, Any]:
    charges = [*edited.charges, edited.parcel]
    tax = sum(charge.tax for charge in charges)
    included = order.tax_minor == 0
    items = sum(charge.subtotal for charge in edited.charges)
    return {
        "items_minor": items,
        "discount_minor": off_goods + order.shipping_discount_minor,
        "tax_minor": 0 if included else tax,
        "tax_included_minor": tax if included else 0,
        "shipping_tax_minor": edited.parcel.tax,
        "taxes": [each for each in _taxes_of(order, charges) if each["net"]],
        "grand_total_minor": edited.total,
    }


def _taxes_of(order: Order, charges: list[Charge]) -> Iterator[dict[str, Any]]:
    for said in order.taxes:
        bearing = [c for c in charges if any(_is(said, tax.rate) for tax in c.taxes)]
        amounts = [tax.amount for c in bearing for tax in c.taxes if _is(said, tax.rate)]
        yield {**said, "net": sum(c.net for c in bearing), "amount": sum(amounts)}


def _is(said: dict[str, Any], rate: Rate) -> bool:
    return (said["code"], said["ppm"]) == (rate.code, rate.ppm)


def _promotions_of(order: Order, off_goods: int) -> list[PromotionPlan]:
    """Divide what is still taken off the goods among the promotions that took it off."""
    rows = list(
        OrderPromotion.objects.filter(order=order).select_related("promotion").order_by("position")
    )
    on_goods = [row for row in rows if row.promotion.benefit.get("kind") != "free_shipping"]
    shares = allocate(off_goods, [row.amount_minor for row in on_goods])
    kept = {row.pk: share for row, share in zip(on_goods, shares, strict=True)}
    return [PromotionPlan(row, kept.get(row.pk, row.amount_minor)) for row in rows]
