"""The price of a basket: list price, price list, promotions, coupons, shipping, tax, total."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.kernel.money import Money
from apps.orders.pricing.amounts import Rounding
from apps.orders.pricing.baskets import Basket, Line
from apps.orders.pricing.eligibility import Candidate, examine
from apps.orders.pricing.explanation import explain
from apps.orders.pricing.goods import Goods
from apps.orders.pricing.stacking import Way, combine
from apps.orders.pricing.taxes import Rate, Tax, taxes_of
from apps.orders.pricing.verdicts import Trial

# A promotion's id, and how much of it falls here. A large order has thousands of them.
Discount = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Charge:
    """What a line or the parcel costs, in minor units.

    `total` is what is paid for it: the subtotal without the discounts, and with the taxes unless
    they are in it already.
    """

    subtotal: int
    discounts: tuple[Discount, ...]
    taxes: tuple[Tax, ...]
    total: int

    @property
    def discount(self) -> int:
        return sum(amount for _, amount in self.discounts)

    @property
    def tax(self) -> int:
        return sum(tax.amount for tax in self.taxes)

    @property
    def tax_on_top(self) -> int:
        """What of the tax is not in the prices: all of it, or nothing."""
        return self.total - (self.subtotal - self.discount)

    @property
    def net(self) -> int:
        """What is paid for it without tax."""
        return self.total - self.tax


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line of the basket and what it costs."""

    line: Line
    charge: Charge


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """All of one tax, and the net amount that bears it."""

    rate: Rate
    net: int
    amount: int


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


@dataclass(frozen=True, slots=True)
class AppliedPromotion:
    """A promotion that takes something off: it counts as a use, of its code too if it has one."""

    promotion_id: UUID
    code: str
    amount: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket costs and why.

    The charges of the lines, in the basket's order, and of the parcel add up to the grand total.
    Promotions stand in the order in which they apply. `tax_included` is what the prices hold.
    """

    currency: str
    rounding: Rounding
    lines: tuple[QuotedLine, ...]
    shipping: Charge
    promotions: tuple[AppliedPromotion, ...]
    taxes: tuple[TaxTotal, ...]
    totals: Totals
    tax_included: Money
    explanation: tuple[Trial, ...]

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Of the lines, and of the parcel."""
        return (*(quoted.charge for quoted in self.lines), self.shipping)


def quote(basket: Basket) -> Quote:
    """Return what the basket costs.

    The same facts in any order cost the same. No amount is negative, none is finer than the
    currency's minor unit, and nothing costs less than nothing.

    Raises NotAnAmount when a total is beyond 10^15.
    """
    goods, rule = Goods.of(basket), basket.rule
    examined = examine(basket, goods)
    candidates = [each for each in examined.values() if isinstance(each, Candidate)]
    way = combine(candidates, goods, rule.mode)
    charges = _charges(basket, goods, way)
    of_line = dict(zip((line.variant_id for line in goods.lines), charges[:-1], strict=True))
    taxes, included = _tax_totals(charges), basket.taxes.included
    tax = sum(each.amount for each in taxes)
    return Quote(
        currency=basket.currency,
        rounding=rule,
        lines=tuple(QuotedLine(line, of_line[line.variant_id]) for line in basket.lines),
        shipping=charges[-1],
        promotions=tuple(
            AppliedPromotion(each.candidate.promotion.id, each.candidate.code, each.amount)
            for each in way.applied
        ),
        taxes=taxes,
        totals=Totals(
            items=Money(sum(goods.subtotals), basket.currency),
            discount=Money(sum(each.amount for each in way.applied), basket.currency),
            shipping=Money(charges[-1].subtotal, basket.currency),
            tax=Money(0 if included else tax, basket.currency),
        ),
        tax_included=Money(tax if included else 0, basket.currency),
        explanation=explain(basket, examined, way),
    )


def _charges(basket: Basket, goods: Goods, way: Way) -> list[Charge]:
    """Return what each place costs: the lines in the goods' order, then the parcel."""
    subtotals, taxes = goods.amounts, basket.taxes
    discounts: list[list[Discount]] = [[] for _ in subtotals]
    for each in way.applied:
        promotion_id = each.candidate.promotion.id
        for place, amount in each.off.items():
            discounts[place].append((promotion_id, amount))
    rates = [taxes.on(line.tax_class) for line in goods.lines]
    parcel = basket.shipping
    rates.append(taxes.on_parcel(parcel.tax_class) if parcel else ())
    borne = taxes_of(
        list(zip(way.left, rates, strict=True)), included=taxes.included, rounding=basket.rule
    )
    return [
        Charge(
            subtotal=subtotal,
            discounts=tuple(off),
            taxes=own,
            total=left if taxes.included else left + sum(tax.amount for tax in own),
        )
        for subtotal, off, own, left in zip(subtotals, discounts, borne, way.left, strict=True)
    ]


def _tax_totals(charges: Sequence[Charge]) -> tuple[TaxTotal, ...]:
    found: dict[Rate, tuple[int, int]] = {}
    for charge in charges:
        net = charge.net
        for tax in charge.taxes:
            nets, amount = found.get(tax.rate, (0, 0))
            found[tax.rate] = nets + net, amount + tax.amount
    rates = sorted(found, key=lambda rate: (rate.code, rate.ppm))
    return tuple(TaxTotal(rate, *found[rate]) for rate in rates)
