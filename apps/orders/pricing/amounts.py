"""Whole minor units: rounding where a rule says so, and shares that add up to the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apps.kernel.errors import Invalid
from apps.kernel.money import LARGEST_MINOR


class NotPriceable(Invalid):
    """The facts that a price is asked for contradict themselves."""

    code = "not_priceable"


class RoundingMode(StrEnum):
    """Where exactly half a minor unit goes."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


class TaxRounding(StrEnum):
    """What tax is rounded for: each line, or all that bears one rate."""

    LINE = "line"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Rounding:
    """How amounts of a currency become whole."""

    mode: RoundingMode = RoundingMode.HALF_UP
    tax: TaxRounding = TaxRounding.TOTAL


# Once a rate and document is what EN 16931 (BR-CO-17) and Japan's qualified invoices ask for. The
# Streamlined Sales Tax Agreement (section 324) leaves the choice to the seller.
ROUNDING = {"USD": Rounding(tax=TaxRounding.LINE)}


def rounding_of(currency: str) -> Rounding:
    """Return how amounts of the currency are rounded unless the store says otherwise."""
    return ROUNDING.get(currency, Rounding())


def divide(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """Return the quotient of two amounts that are not negative, rounded to a whole one."""
    whole, rest = divmod(numerator, denominator)
    odd_or_up = mode is RoundingMode.HALF_UP or whole % 2 == 1
    return whole + (2 * rest > denominator or (2 * rest == denominator and odd_or_up))


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Return the shares of the total by weight, by largest remainder; they add up to it.

    Of equal remainders the first gets more, so the caller's order has to mean something. No share
    is larger than its weight when the total is not larger than all weights.
    """
    whole = sum(weights)
    if not total:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    missing = total - sum(shares)
    if missing:
        rests = [total * weight % whole for weight in weights]
        for index in sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:missing]:
            shares[index] += 1
    return shares


def limited(amounts: Mapping[int, int], most: int) -> dict[int, int]:
    """Return the amounts, made smaller in proportion when they are more than `most` together."""
    if sum(amounts.values()) <= most:
        return dict(amounts)
    return dict(zip(amounts, allocate(most, list(amounts.values())), strict=True))


def refuse_unless_whole(least: int = 0, **amounts: int) -> None:
    """Raise NotPriceable for what is no whole number from `least` to 10^15."""
    for name, amount in amounts.items():
        if type(amount) is not int or not least <= amount <= LARGEST_MINOR:
            raise NotPriceable(f"{name} is no whole number from {least} on.", field=name)


def refuse_unless_whole_or_none(least: int = 0, **amounts: int | None) -> None:
    """Raise NotPriceable likewise for what is said; what is None is not said."""
    said = {name: amount for name, amount in amounts.items() if amount is not None}
    refuse_unless_whole(least, **said)
