"""What a promotion would have changed about a basket of the past."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from apps.orders.pricing.baskets import Basket, Coupon
from apps.orders.pricing.promotions import Promotion
from apps.orders.pricing.quotes import Quote, quote
from apps.orders.pricing.verdicts import Outcome, RuleKind

KEPT_OUT = {Outcome.EXCLUDED, Outcome.GROUP_TAKEN}
ANY_CODE = "*"  # no code is written so


@dataclass(frozen=True, slots=True)
class Effect:
    """A basket without the promotion and with it, in minor units of its currency.

    `displaced` are promotions that then take less off, and by how much; `kept_out_by` are those
    that leave it no room.
    """

    currency: str
    before: int
    after: int
    discount_before: int
    discount: int
    displaced: Mapping[UUID, int]
    kept_out_by: frozenset[UUID]


def effect_of(promotion: Promotion, basket: Basket) -> Effect:
    """Return what the promotion changes; everybody is taken to know its code."""
    coupons = basket.coupons
    if promotion.needs_code:
        coupons = (*coupons, Coupon(ANY_CODE, promotion.id))
    without = quote(basket)
    beside = (*basket.promotions, promotion)
    with_it = quote(replace(basket, promotions=beside, coupons=coupons))
    taken, before = _taken(with_it), _taken(without)
    discount = taken.pop(promotion.id, 0)
    lost = {key: amount - taken.get(key, 0) for key, amount in before.items()}
    return Effect(
        currency=basket.currency,
        before=without.totals.grand_total.minor,
        after=with_it.totals.grand_total.minor,
        discount_before=without.totals.discount.minor,
        discount=discount,
        displaced={key: amount for key, amount in lost.items() if amount > 0},
        kept_out_by=_kept_out_by(promotion, with_it),
    )


def _taken(quoted: Quote) -> dict[UUID, int]:
    return {each.promotion_id: each.amount for each in quoted.promotions}


def _kept_out_by(promotion: Promotion, quoted: Quote) -> frozenset[UUID]:
    for trial in quoted.explanation:
        if trial.kind is RuleKind.PROMOTION and trial.key == str(promotion.id):
            by = trial.facts.get("by") if trial.outcome in KEPT_OUT else None
            return frozenset(map(UUID, by)) if isinstance(by, list) else frozenset()
    return frozenset()
