"""Tax on what is left of the prices: on top of them, or in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from apps.orders.pricing.amounts import (
    Rounding,
    TaxRounding,
    allocate,
    divide,
    refuse_unless_whole,
)

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax by its code, in parts per million: 19 % is 190,000 and 8.875 % is 88,750."""

    code: str
    ppm: int

    def __post_init__(self) -> None:
        refuse_unless_whole(ppm=self.ppm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxes:
    """The rates of the zone where it goes, by tax class, and how prices are meant.

    Prices are with tax when it is `included`: then the zone's rates say how much of them is tax,
    and nobody pays another price. A class without rates is not taxed. What names no class, or one
    that is not among them, bears the `default_class`, if there is one. The parcel bears
    `shipping_class` unless the basket says otherwise.
    """

    zone: str = ""
    rates: Mapping[str, tuple[Rate, ...]] = field(default_factory=dict)
    included: bool = False
    shipping_taxed: bool = True
    default_class: str = ""
    shipping_class: str = "standard"

    def class_of(self, named: str) -> str:
        """Return the class that counts for what names this one."""
        return named if named in self.rates else self.default_class or named

    def on(self, named: str) -> tuple[Rate, ...]:
        """Return the rates of what names this class."""
        return self.rates.get(self.class_of(named), ())

    def on_parcel(self, named: str) -> tuple[Rate, ...]:
        """Return the rates of the parcel, which may name a class of its own."""
        return self.on(named or self.shipping_class) if self.shipping_taxed else ()


@dataclass(frozen=True, slots=True)
class Tax:
    """How much of a tax something bears."""

    rate: Rate
    amount: int


Taxed = tuple[int, tuple[Rate, ...]]


def taxes_of(
    charges: Sequence[Taxed], *, included: bool, rounding: Rounding
) -> list[tuple[Tax, ...]]:
    """Return the taxes of each charge: an amount with the rates that it bears.

    What is rounded for the total is allocated to the charges. Included taxes of one charge are
    rounded together before they are divided among its rates, so they are never more than it is.
    """
    if included:
        return _included(charges, rounding)
    found: list[list[Tax]] = [[] for _ in charges]
    for rate in dict.fromkeys(rate for _, rates in charges for rate in rates):
        bearing = [index for index, (_, rates) in enumerate(charges) if rate in rates]
        amounts = [charges[index][0] for index in bearing]
        shares = _shares(amounts, rate.ppm, MILLION, rounding)
        for index, amount in zip(bearing, shares, strict=True):
            found[index].append(Tax(rate, amount))
    return [tuple(taxes) for taxes in found]


def _included(charges: Sequence[Taxed], rounding: Rounding) -> list[tuple[Tax, ...]]:
    found: list[tuple[Tax, ...]] = [()] * len(charges)
    for rates in dict.fromkeys(rates for _, rates in charges):
        bearing = [index for index, charge in enumerate(charges) if charge[1] == rates]
        ppm = sum(rate.ppm for rate in rates)
        amounts = [charges[index][0] for index in bearing]
        shares = _shares(amounts, ppm, MILLION + ppm, rounding)
        for index, together in zip(bearing, shares, strict=True):
            parts = allocate(together, [rate.ppm for rate in rates])
            found[index] = tuple(Tax(rate, part) for rate, part in zip(rates, parts, strict=True))
    return found


def _shares(amounts: Sequence[int], ppm: int, of: int, rounding: Rounding) -> list[int]:
    if rounding.tax is TaxRounding.LINE:
        return [divide(amount * ppm, of, rounding.mode) for amount in amounts]
    return allocate(divide(sum(amounts) * ppm, of, rounding.mode), amounts)
