"""Which promotions may apply, each for itself; whether they do is decided among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.orders.pricing.amounts import RoundingMode, limited
from apps.orders.pricing.baskets import Basket, Coupon, Customer
from apps.orders.pricing.goods import Chosen, Goods
from apps.orders.pricing.promotions import Promotion
from apps.orders.pricing.reductions import Reduction, reduction_of, taken_off
from apps.orders.pricing.verdicts import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Candidate:
    """A promotion whose conditions hold, with the code that lets it in and the goods it is for."""

    promotion: Promotion
    code: str
    places: Sequence[int]
    reduction: Reduction

    def offer(self, goods: Goods, left: Sequence[int], mode: RoundingMode) -> dict[int, int]:
        """Return what it takes off of which place, within its own limits."""
        off = dict(taken_off(self.reduction, goods, self.places, left, mode))
        most = self.promotion.most
        return off if most is None else limited(off, most)


def examine(basket: Basket, goods: Goods) -> dict[UUID, Candidate | Verdict]:
    """Return each promotion of the basket as a candidate, or why it is none, by its id.

    Of several codes for one promotion the first of the alphabet that counts lets it in.
    """
    coupons: dict[UUID | None, list[Coupon]] = {}
    for coupon in sorted(basket.coupons, key=lambda coupon: coupon.code):
        coupons.setdefault(coupon.promotion_id, []).append(coupon)
    return {
        promotion.id: _examined(promotion, coupons.get(promotion.id, []), basket, goods)
        for promotion in basket.promotions
    }


def _examined(
    promotion: Promotion, coupons: Sequence[Coupon], basket: Basket, goods: Goods
) -> Candidate | Verdict:
    code = ""
    if refused := _not_now(promotion, basket):
        return refused
    if promotion.needs_code:
        usable = [c for c in coupons if code_refused(c, basket.customer) is None]
        if not usable:
            return _no_code(coupons, basket.customer)
        code = usable[0].code
    if refused := _not_for(promotion, basket.customer):
        return refused
    chosen = goods.matching(promotion.goods)
    if refused := _too_little(promotion, chosen):
        return refused
    reduction = reduction_of(promotion.benefit, goods, chosen)
    if isinstance(reduction, Verdict):
        return reduction
    return Candidate(promotion, code, chosen.places, reduction)


def code_refused(coupon: Coupon, customer: Customer | None) -> Verdict | None:
    """Return why a code that is for a promotion does not count; None when it does."""
    if coupon.uses_left is not None and coupon.uses_left < 1:
        return Verdict(Outcome.CODE_USED_UP)
    if coupon.uses_per_customer is None:
        return None
    if customer is None:
        return Verdict(Outcome.CUSTOMER_UNKNOWN)
    uses = customer.code_uses.get(coupon.code, 0)
    if uses >= coupon.uses_per_customer:
        return Verdict(Outcome.CUSTOMER_USED_UP, {"uses": uses, "limit": coupon.uses_per_customer})
    return None


def _not_now(promotion: Promotion, basket: Basket) -> Verdict | None:
    if promotion.currency not in (None, basket.currency):
        return Verdict(Outcome.OTHER_CURRENCY, {"currency": promotion.currency or ""})
    if promotion.starts_at is not None and basket.at < promotion.starts_at:
        return Verdict(Outcome.NOT_STARTED, {"starts_at": promotion.starts_at.isoformat()})
    if promotion.ends_at is not None and basket.at >= promotion.ends_at:
        return Verdict(Outcome.ENDED, {"ends_at": promotion.ends_at.isoformat()})
    if promotion.uses_left is not None and promotion.uses_left < 1:
        return Verdict(Outcome.USED_UP)
    if promotion.budget_left is not None and promotion.budget_left < 1:
        return Verdict(Outcome.BUDGET_SPENT)
    return None


def _no_code(coupons: Sequence[Coupon], customer: Customer | None) -> Verdict:
    if not coupons:
        return Verdict(Outcome.CODE_MISSING)
    return code_refused(coupons[0], customer) or Verdict(Outcome.CODE_MISSING)


def _not_for(promotion: Promotion, customer: Customer | None) -> Verdict | None:
    groups, most = promotion.customer_group_ids, promotion.uses_per_customer
    if not groups and not promotion.first_order_only and most is None:
        return None
    if customer is None:
        return Verdict(Outcome.CUSTOMER_UNKNOWN)
    if groups and customer.group_id not in groups:
        return Verdict(Outcome.OTHER_CUSTOMER_GROUP)
    if promotion.first_order_only and not customer.first_order:
        return Verdict(Outcome.NOT_FIRST_ORDER)
    uses = customer.uses.get(promotion.id, 0)
    if most is not None and uses >= most:
        return Verdict(Outcome.CUSTOMER_USED_UP, {"uses": uses, "limit": most})
    return None


def _too_little(promotion: Promotion, chosen: Chosen) -> Verdict | None:
    if not chosen.places:
        return Verdict(Outcome.NO_MATCHING_GOODS)
    if chosen.quantity < promotion.min_quantity:
        facts = {"needed": promotion.min_quantity, "has": chosen.quantity}
        return Verdict(Outcome.BELOW_MIN_QUANTITY, facts)
    if chosen.subtotal < promotion.min_subtotal:
        facts = {"needed": promotion.min_subtotal, "has": chosen.subtotal}
        return Verdict(Outcome.BELOW_MIN_SUBTOTAL, facts)
    return None
