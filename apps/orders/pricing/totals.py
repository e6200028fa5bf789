"""The parts of what is to be paid."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.kernel.money import Money


@dataclass(frozen=True, slots=True)
class PricedLine:
    """So many of one thing at one price."""

    quantity: int
    unit_price: Money

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Totals:
    """The parts of what is to be paid; `grand_total` is their exact sum.

    `tax` is what comes on top of the prices, never what they include.
    """

    items: Money
    discount: Money
    shipping: Money
    tax: Money

    @property
    def grand_total(self) -> Money:
        return self.items - self.discount + self.shipping + self.tax


def price(lines: Iterable[PricedLine], *, shipping: Money | None, currency: str) -> Totals:
    """Return the totals of the lines; shipping counts nothing until it is chosen.

    Prices include tax, so no tax is added. Raises CurrencyMismatch.
    """
    zero = Money.zero(currency)
    return Totals(
        items=Money.sum((line.total for line in lines), currency=currency),
        discount=zero,
        shipping=shipping or zero,
        tax=zero,
    )
