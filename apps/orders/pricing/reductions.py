"""What a benefit takes off which line, of what the promotions before it have left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.orders.pricing.amounts import RoundingMode, allocate, divide
from apps.orders.pricing.goods import Goods
from apps.orders.pricing.promotions import (
    WHOLE,
    AmountOff,
    AmountOffEach,
    Benefit,
    BuyXGetY,
    FreeShipping,
    Measure,
    Percentage,
    Tiers,
)
from apps.orders.pricing.verdicts import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class CheaperPieces:
    """So many pieces of some lines, and the share off them in basis points."""

    pieces: Mapping[int, int]
    basis_points: int


Reduction = Percentage | AmountOff | AmountOffEach | CheaperPieces | FreeShipping


def reduction_of(benefit: Benefit, goods: Goods, chosen: Sequence[int]) -> Reduction | Verdict:
    """Return what the benefit comes to with these goods, or why it has nothing to act on."""
    match benefit:
        case FreeShipping() if not goods.sent:
            return Verdict(Outcome.NOTHING_TO_SHIP)
        case FreeShipping() if goods.parcel is None:
            return Verdict(Outcome.SHIPPING_NOT_CHOSEN)
        case BuyXGetY():
            return _cheaper_pieces(benefit, goods, chosen)
        case Tiers():
            return _reached(benefit, goods, chosen)
    return benefit


def taken_off(
    reduction: Reduction,
    goods: Goods,
    chosen: Sequence[int],
    left: Sequence[int],
    mode: RoundingMode,
) -> Iterable[tuple[int, int]]:
    """Return what is taken off of which place, never more than is left there."""
    match reduction:
        case Percentage(basis_points=share):
            weights = [left[i] for i in chosen]
            off = divide(sum(weights) * share, WHOLE, mode)
            return zip(chosen, allocate(off, weights), strict=True)
        case AmountOff(amount=amount):
            weights = [left[i] for i in chosen]
            return zip(chosen, allocate(min(amount, sum(weights)), weights), strict=True)
        case AmountOffEach(amount=amount):
            return [(i, min(amount * goods.quantities[i], left[i])) for i in chosen]
        case CheaperPieces(pieces=pieces, basis_points=share):
            return [
                (i, divide(left[i] * count * share, goods.quantities[i] * WHOLE, mode))
                for i, count in pieces.items()
            ]
        case FreeShipping():
            return [(len(goods.lines), left[-1])]


def _reached(tiers: Tiers, goods: Goods, chosen: Sequence[int]) -> Reduction | Verdict:
    counted = goods.quantities if tiers.by is Measure.QUANTITY else goods.subtotals
    has = sum(counted[i] for i in chosen)
    for tier in reversed(tiers.tiers):
        if tier.at_least <= has:
            return tier.benefit
    facts = {"by": tiers.by.value, "needed": tiers.tiers[0].at_least, "has": has}
    return Verdict(Outcome.BELOW_FIRST_TIER, facts)


def _cheaper_pieces(
    offer: BuyXGetY, goods: Goods, chosen: Sequence[int]
) -> CheaperPieces | Verdict:
    """Return the cheapest pieces of as many sets as there are.

    A piece that could be either is bought or got, never both. So many sets are possible as the
    pieces that may be bought, those that may be got and all of them together are enough for.
    """
    quantities = goods.quantities
    bought = set(chosen)
    got = bought if offer.gets is None else set(goods.matching(offer.gets))
    buyable = sum(quantities[i] for i in bought)
    gettable = sum(quantities[i] for i in got)
    either = sum(quantities[i] for i in bought & got)
    sets = min(
        buyable // offer.buy,
        gettable // offer.get,
        (buyable + gettable - either) // (offer.buy + offer.get),
    )
    if offer.most_times is not None:
        sets = min(sets, offer.most_times)
    if not sets:
        return Verdict(Outcome.INCOMPLETE_SET, {"buy": offer.buy, "get": offer.get})
    wanted, spare = sets * offer.get, buyable - sets * offer.buy
    pieces = {}
    for i in goods.cheapest_first:
        if i not in got:
            continue
        taken = min(wanted, quantities[i], spare) if i in bought else min(wanted, quantities[i])
        if taken:
            pieces[i] = taken
        wanted -= taken
        spare -= taken if i in bought else 0
        if not wanted:
            break
    return CheaperPieces(pieces, offer.basis_points)
