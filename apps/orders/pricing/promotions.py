"""What a promotion says: for which goods and customers, when, how much off, beside which others."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from apps.kernel.money import LARGEST_MINOR
from apps.orders.pricing.amounts import (
    NotPriceable,
    refuse_unless_whole,
    refuse_unless_whole_or_none,
)

WHOLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Some goods: what is named in any of the kinds that name something; all when none does."""

    category_ids: frozenset[UUID] = frozenset()
    brand_ids: frozenset[UUID] = frozenset()
    product_ids: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Percentage:
    """A share off the goods together, in basis points: 12.5 % is 1250."""

    basis_points: int

    def __post_init__(self) -> None:
        _refuse_unless_share(self.basis_points)


@dataclass(frozen=True, slots=True)
class AmountOff:
    """So many minor units off the goods together."""

    amount: int

    def __post_init__(self) -> None:
        refuse_unless_whole(1, amount=self.amount)


@dataclass(frozen=True, slots=True)
class AmountOffEach:
    """So many minor units off each piece."""

    amount: int

    def __post_init__(self) -> None:
        refuse_unless_whole(1, amount=self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyXGetY:
    """For each `buy` pieces of the promotion's goods, `get` pieces of `gets` cost less.

    `gets` is the same goods unless it says otherwise; the cheapest pieces are the ones that cost
    less. `basis_points` is the share off them, `most_times` how often this happens in one order.
    """

    buy: int
    get: int
    basis_points: int = WHOLE
    gets: Selection | None = None
    most_times: int | None = None

    def __post_init__(self) -> None:
        refuse_unless_whole(1, buy=self.buy, get=self.get)
        refuse_unless_whole_or_none(1, most_times=self.most_times)
        _refuse_unless_share(self.basis_points)


@dataclass(frozen=True, slots=True)
class FreeShipping:
    """The parcel costs nothing."""


class Measure(StrEnum):
    """What a tier is reached by."""

    QUANTITY = "quantity"
    SUBTOTAL = "subtotal"


@dataclass(frozen=True, slots=True)
class Tier:
    """What counts from so many pieces, or so many minor units, on."""

    at_least: int
    benefit: Percentage | AmountOff | AmountOffEach


@dataclass(frozen=True, slots=True)
class Tiers:
    """The more is bought, the more is off: of the tiers that are reached, the last counts."""

    by: Measure
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        steps = [tier.at_least for tier in self.tiers]
        for step in steps:
            refuse_unless_whole(at_least=step)
        if not steps or steps != sorted(set(steps)):
            raise NotPriceable("Tiers begin one after the other.", field="tiers")


Benefit = Percentage | AmountOff | AmountOffEach | BuyXGetY | FreeShipping | Tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A rule that takes something off.

    `goods` is what the minimums count and, unless the benefit says otherwise, what gets cheaper.
    Of a higher `priority` counts first. Who is `exclusive` stands alone; of one `stacking_group`
    only one applies. `budget_left` and `uses_left` are what remains of the promotion's limits, None
    where there is none. It runs from `starts_at` on and at `ends_at` no more. Amounts are minor
    units of `currency`, which is None only where no amount is said.
    """

    id: UUID
    benefit: Benefit
    needs_code: bool = False
    priority: int = 0
    exclusive: bool = False
    stacking_group: str = ""
    goods: Selection = EVERYTHING
    currency: str | None = None
    min_subtotal: int = 0
    min_quantity: int = 0
    customer_group_ids: frozenset[UUID] = frozenset()
    first_order_only: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_discount: int | None = None
    budget_left: int | None = None
    uses_left: int | None = None
    uses_per_customer: int | None = None

    def __post_init__(self) -> None:
        refuse_unless_whole(min_subtotal=self.min_subtotal, min_quantity=self.min_quantity)
        refuse_unless_whole_or_none(
            max_discount=self.max_discount, uses_per_customer=self.uses_per_customer
        )
        # What is left may be less than nothing, when a limit has been lowered.
        refuse_unless_whole_or_none(
            -LARGEST_MINOR, budget_left=self.budget_left, uses_left=self.uses_left
        )
        if self.currency is None and self._says_an_amount():
            raise NotPriceable("An amount is in a currency.", field="currency")

    @property
    def most(self) -> int | None:
        """The largest discount that it may give now; None when nothing limits it."""
        limits = [limit for limit in (self.max_discount, self.budget_left) if limit is not None]
        return min(limits, default=None)

    def _says_an_amount(self) -> bool:
        match self.benefit:
            case AmountOff() | AmountOffEach() | Tiers(by=Measure.SUBTOTAL):
                return True
            case Tiers(tiers=tiers) if not all(isinstance(t.benefit, Percentage) for t in tiers):
                return True
        return bool(self.min_subtotal) or self.most is not None


def _refuse_unless_share(basis_points: int) -> None:
    refuse_unless_whole(1, basis_points=basis_points)
    if basis_points > WHOLE:
        raise NotPriceable("Nothing costs less than nothing.", field="basis_points")
