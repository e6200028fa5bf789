"""What staff should know of promotions that meet: told when one is saved, refused never."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from apps.orders.pricing.promotions import FreeShipping, Promotion, Selection


class Meeting(StrEnum):
    """What happens where two promotions meet. The values are stable."""

    EXCLUDES = "excludes"
    SAME_GROUP = "same_stacking_group"
    ADDS_UP = "adds_up"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another promotion that can apply to the same order, and what happens then."""

    meeting: Meeting
    promotion_id: UUID


def conflicts(promotion: Promotion, others: Iterable[Promotion]) -> list[Conflict]:
    """Return what the promotion meets: at the same time, in the same currency, of the same goods.

    An exclusive one excludes whatever goods it is for. Categories, brands, tags and products may
    share goods with each other; only what names different products alone cannot.
    """
    found = []
    for other in others:
        if other.id == promotion.id or not _at_once(promotion, other):
            continue
        if promotion.exclusive or other.exclusive:
            found.append(Conflict(Meeting.EXCLUDES, other.id))
        elif promotion.stacking_group and promotion.stacking_group == other.stacking_group:
            found.append(Conflict(Meeting.SAME_GROUP, other.id))
        elif _of_the_same(promotion, other):
            found.append(Conflict(Meeting.ADDS_UP, other.id))
    return found


def _at_once(one: Promotion, other: Promotion) -> bool:
    if one.currency and other.currency and one.currency != other.currency:
        return False
    return not (_is_over(one, other) or _is_over(other, one))


def _is_over(one: Promotion, other: Promotion) -> bool:
    """Whether one ends before the other begins."""
    ends, starts = one.ends_at, other.starts_at
    return ends is not None and starts is not None and ends <= starts


def _of_the_same(one: Promotion, other: Promotion) -> bool:
    parcels = [isinstance(each.benefit, FreeShipping) for each in (one, other)]
    if any(parcels):
        return all(parcels)
    return _may_share(one.goods, other.goods)


def _may_share(one: Selection, other: Selection) -> bool:
    named = one.product_ids and other.product_ids
    return not (named and one.product_ids.isdisjoint(other.product_ids))
