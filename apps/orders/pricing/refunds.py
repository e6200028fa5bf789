"""What goes back for a part of an order, so that all parts add up to what was paid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from apps.kernel.errors import Conflict
from apps.orders.pricing.amounts import NotPriceable, RoundingMode, divide, refuse_unless_whole
from apps.orders.pricing.quotes import Charge, Quote
from apps.orders.pricing.taxes import Tax


class MoreThanBought(Conflict):
    """More comes back than was bought and has not come back yet."""

    code = "more_than_bought"


@dataclass(frozen=True, slots=True)
class SoldLine:
    """So many pieces and what was paid for them."""

    quantity: int
    charge: Charge


@dataclass(frozen=True, slots=True)
class Sold:
    """What was paid for, by variant, as an order remembers it, and how its amounts are rounded."""

    lines: Mapping[UUID, SoldLine]
    shipping: Charge
    mode: RoundingMode

    @classmethod
    def of(cls, quote: Quote) -> "Sold":
        """Return what has to be remembered of a quote."""
        lines = {
            quoted.line.variant_id: SoldLine(quoted.line.quantity, quoted.charge)
            for quoted in quote.lines
        }
        return cls(lines, quote.shipping, quote.rounding.mode)


@dataclass(frozen=True, slots=True)
class Parts:
    """What comes back: so many pieces by variant, and the parcel's price or not."""

    quantities: Mapping[UUID, int] = field(default_factory=dict)
    shipping: bool = False

    def __post_init__(self) -> None:
        for quantity in self.quantities.values():
            refuse_unless_whole(1, quantity=quantity)


@dataclass(frozen=True, slots=True)
class Refunded:
    """What goes back for something, in minor units; the total is the net amount and the taxes."""

    net: int
    taxes: tuple[Tax, ...]

    @property
    def total(self) -> int:
        return self.net + sum(tax.amount for tax in self.taxes)


@dataclass(frozen=True, slots=True)
class Refund:
    """What goes back by variant and for the parcel; None when nothing goes back for that."""

    lines: Mapping[UUID, Refunded]
    shipping: Refunded | None

    @property
    def total(self) -> int:
        shipping = self.shipping.total if self.shipping else 0
        return shipping + sum(refunded.total for refunded in self.lines.values())


def refund(sold: Sold, parts: Parts, *, earlier: Iterable[Parts] = ()) -> Refund:
    """Return what goes back for these parts of what was sold, after what came back earlier.

    In whatever parts and order everything comes back, the refunds add up to what was paid, and
    those of a line to its charge, net and by tax; none is negative.

    Raises MoreThanBought, NotPriceable for a variant that was not bought.
    """
    before = list(earlier)
    lines = {}
    for variant_id, quantity in sorted(parts.quantities.items()):
        line = sold.lines.get(variant_id)
        if line is None:
            raise NotPriceable("This was not bought.", variant_id=variant_id)
        start = sum(each.quantities.get(variant_id, 0) for each in before)
        if start + quantity > line.quantity:
            left = line.quantity - start
            raise MoreThanBought("More than was bought.", variant_id=variant_id, left=left)
        lines[variant_id] = _part(line, range(start, start + quantity), sold.mode)
    if parts.shipping and any(each.shipping for each in before):
        raise MoreThanBought("The shipping has gone back already.")
    shipping = Refunded(sold.shipping.net, sold.shipping.taxes) if parts.shipping else None
    return Refund(lines, shipping)


def _part(line: SoldLine, pieces: range, mode: RoundingMode) -> Refunded:
    """Return the share of these pieces: up to the last of them, without what came before."""

    def share(amount: int) -> int:
        until = divide(amount * pieces.stop, line.quantity, mode)
        return until - divide(amount * pieces.start, line.quantity, mode)

    taxes = tuple(Tax(tax.rate, share(tax.amount)) for tax in line.charge.taxes)
    return Refunded(share(line.charge.net), taxes)
