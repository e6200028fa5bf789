"""What a benefit takes off which line, of what the promotions before it have left."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.orders.pricing.amounts import RoundingMode, allocate, divide
from apps.orders.pricing.goods import Chosen, Goods
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


def reduction_of(benefit: Benefit, goods: Goods, chosen: Chosen) -> Reduction | Verdict:
    """Return what the benefit comes to with these goods, or why it has nothing to act on."""
    match benefit:
        case FreeShipping() if not goods.sent:
            return Verdict(Outcome.NOTHING_TO_SHIP)
        case FreeShipping() if goods.parcel is None:
            return Verdict(Outcome.SHIPPING_NOT_CHOSEN)
        case BuyXGetY():
            return _cheaper_pieces(benefit, goods, chosen)
        case Tiers():
            return _reached(benefit, chosen)
    return benefit


def taken_off(
    reduction: Reduction,
    goods: Goods,
    places: Sequence[int],
    left: Sequence[int],
    mode: RoundingMode,
) -> Iterable[tuple[int, int]]:
    """Return what is taken off of which place, never more than is left there."""
    match reduction:
        case Percentage(basis_points=share):
            weights = [left[i] for i in places]
            off = divide(sum(weights) * share, WHOLE, mode)
            return zip(places, allocate(off, weights), strict=True)
        case AmountOff(amount=amount):
            weights = [left[i] for i in places]
            return zip(places, allocate(min(amount, sum(weights)), weights), strict=True)
        case AmountOffEach(amount=amount):
            return [(i, min(amount * goods.quantities[i], left[i])) for i in places]
        case CheaperPieces(pieces=pieces, basis_points=share):
            return [
                (i, divide(left[i] * count * share, goods.quantities[i] * WHOLE, mode))
                for i, count in pieces.items()
            ]
        case FreeShipping():
            return [(len(goods.lines), left[-1])]


def _reached(tiers: Tiers, chosen: Chosen) -> Reduction | Verdict:
    has = chosen.quantity if tiers.by is Measure.QUANTITY else chosen.subtotal
    for tier in reversed(tiers.tiers):
        if tier.at_least <= has:
            return tier.benefit
    facts = {"measure": tiers.by.value, "needed": tiers.tiers[0].at_least, "has": has}
    return Verdict(Outcome.BELOW_FIRST_TIER, facts)


def _cheaper_pieces(offer: BuyXGetY, goods: Goods, chosen: Chosen) -> CheaperPieces | Verdict:
    """Return the cheapest pieces of as many sets as there are.

    A piece that could be either is bought or got, never both. So many sets are possible as the
    pieces that may be bought, those that may be got and all of them together are enough for.
    """
    given = chosen if offer.gets is None else goods.matching(offer.gets)
    bought, got = set(chosen.places), set(given.places)
    either = sum(goods.quantities[place] for place in bought & got)
    sets = min(
        chosen.quantity // offer.buy,
        given.quantity // offer.get,
        (chosen.quantity + given.quantity - either) // (offer.buy + offer.get),
    )
    if offer.most_times is not None:
        sets = min(sets, offer.most_times)
    if not sets:
        return Verdict(Outcome.INCOMPLETE_SET, {"buy": offer.buy, "get": offer.get})
    wanted, spare = sets * offer.get, chosen.quantity - sets * offer.buy
    pieces = {}
    for place in goods.cheapest_first:
        if place not in got:
            continue
        taken = min(wanted, goods.quantities[place])
        if place in bought:
            taken = min(taken, spare)
            spare -= taken
        if taken:
            pieces[place] = taken
            wanted -= taken
        if not wanted:
            break
    return CheaperPieces(pieces, offer.basis_points)
