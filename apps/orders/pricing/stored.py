"""Benefits and selections as documents of strings and whole numbers, and back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.orders.pricing.amounts import NotPriceable
from apps.orders.pricing.promotions import (
    WHOLE,
    AmountOff,
    AmountOffEach,
    Benefit,
    BuyXGetY,
    FreeShipping,
    Measure,
    Percentage,
    Selection,
    Tier,
    Tiers,
)

Document = Mapping[str, Any]
IDS = ("category_ids", "brand_ids", "product_ids")


def selection_of(document: Document) -> Selection:
    """Return the selection that a document names; what it leaves out names nothing."""
    ids = {kind: frozenset(map(UUID, document.get(kind, ()))) for kind in IDS}
    return Selection(**ids, tags=frozenset(document.get("tags", ())))


def selection_document(selection: Selection) -> dict[str, list[str]]:
    """Return the document of a selection, in an order of its own."""
    ids = {kind: sorted(str(each) for each in getattr(selection, kind)) for kind in IDS}
    return {**ids, "tags": sorted(selection.tags)}


def benefit_of(document: Document) -> Benefit:
    """Return the benefit that a document says. Raises NotPriceable."""
    match document:
        case {"kind": "buy_x_get_y", "buy": buy, "get": get}:
            gets = document.get("gets")
            return BuyXGetY(
                buy=buy,
                get=get,
                basis_points=document.get("basis_points", WHOLE),
                gets=None if gets is None else selection_of(gets),
                most_times=document.get("most_times"),
            )
        case {"kind": "free_shipping"}:
            return FreeShipping()
        case {"kind": "tiers", "by": by, "tiers": tiers}:
            return Tiers(
                Measure(by),
                tuple(Tier(each["at_least"], _simple(each["benefit"])) for each in tiers),
            )
    return _simple(document)


def benefit_document(benefit: Benefit) -> dict[str, Any]:
    """Return the document of a benefit."""
    match benefit:
        case Percentage(basis_points=share):
            return {"kind": "percentage", "basis_points": share}
        case AmountOff(amount=amount):
            return {"kind": "amount_off", "amount": amount}
        case AmountOffEach(amount=amount):
            return {"kind": "amount_off_each", "amount": amount}
        case BuyXGetY():
            gets = benefit.gets
            return {
                "kind": "buy_x_get_y",
                "buy": benefit.buy,
                "get": benefit.get,
                "basis_points": benefit.basis_points,
                "gets": None if gets is None else selection_document(gets),
                "most_times": benefit.most_times,
            }
        case Tiers(by=by, tiers=tiers):
            steps = [
                {"at_least": tier.at_least, "benefit": benefit_document(tier.benefit)}
                for tier in tiers
            ]
            return {"kind": "tiers", "by": by.value, "tiers": steps}
    return {"kind": "free_shipping"}


def _simple(document: Document) -> Percentage | AmountOff | AmountOffEach:
    match document:
        case {"kind": "percentage", "basis_points": share}:
            return Percentage(share)
        case {"kind": "amount_off", "amount": amount}:
            return AmountOff(amount)
        case {"kind": "amount_off_each", "amount": amount}:
            return AmountOffEach(amount)
    raise NotPriceable("There is no such benefit.", field="benefit")
