"""What an order costs with other quantities, at the prices, discounts and rates of its lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.orders.pricing.amounts import Rounding, divide
from apps.orders.pricing.quotes import Charge
from apps.orders.pricing.taxes import Rate, taxes_of


@dataclass(frozen=True, slots=True)
class SoldGoods:
    """So many pieces of a line as they were sold, and what the line's rates are."""

    quantity: int
    unit_price: int
    discount: int
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """What is kept of an order: the lines in their order, then the parcel."""

    discounts: tuple[int, ...]
    charges: tuple[Charge, ...]
    parcel: Charge

    @property
    def total(self) -> int:
        return self.parcel.total + sum(charge.total for charge in self.charges)


def edit(
    lines: Sequence[tuple[SoldGoods, int]],
    *,
    parcel: Charge,
    parcel_left: int,
    included: bool,
    rounding: Rounding,
) -> Edited:
    """Return what so many pieces of each line cost, beside the parcel.

    A discount becomes smaller in proportion to the pieces, and no larger with more of them; taxes
    are worked out anew.
    """
    subtotals = [goods.unit_price * quantity for goods, quantity in lines]
    discounts = [
        divide(goods.discount * min(quantity, goods.quantity), goods.quantity, rounding.mode)
        for goods, quantity in lines
    ]
    left = [subtotal - off for subtotal, off in zip(subtotals, discounts, strict=True)]
    left.append(parcel_left)
    rates = [goods.rates for goods, _ in lines]
    rates.append(tuple(tax.rate for tax in parcel.taxes))
    borne = taxes_of(list(zip(left, rates, strict=True)), included=included, rounding=rounding)
    totals = [
        amount if included else amount + sum(tax.amount for tax in taxes)
        for amount, taxes in zip(left, borne, strict=True)
    ]
    return Edited(
        discounts=tuple(discounts),
        charges=tuple(
            Charge(subtotal, (), taxes, total)
            for subtotal, taxes, total in zip(subtotals, borne[:-1], totals[:-1], strict=True)
        ),
        parcel=Charge(parcel.subtotal, (), borne[-1], totals[-1]),
    )
