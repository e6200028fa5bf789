"""Why a price is what it is: every rule that was tried, once, and what came of it."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from apps.orders.pricing.baskets import Basket, Coupon
from apps.orders.pricing.eligibility import Candidate, code_refused
from apps.orders.pricing.promotions import Promotion
from apps.orders.pricing.stacking import Way
from apps.orders.pricing.verdicts import Outcome, RuleKind, Trial, Verdict

Examined = Mapping[UUID, Candidate | Verdict]


def explain(basket: Basket, examined: Examined, way: Way) -> tuple[Trial, ...]:
    """Return all trials: price lists, promotions from the highest priority on, codes, taxes."""
    verdicts = {key: found for key, found in examined.items() if isinstance(found, Verdict)}
    verdicts |= way.rejected
    for each in way.applied:
        verdicts[each.candidate.promotion.id] = Verdict(Outcome.APPLIED, {"amount": each.amount})
    return (
        *_price_lists(basket),
        *(
            Trial.of(RuleKind.PROMOTION, str(promotion.id), verdicts[promotion.id])
            for promotion in sorted(basket.promotions, key=lambda p: (-p.priority, p.id.int))
        ),
        *_codes(basket, examined, verdicts),
        *_taxes(basket),
    )


def _price_lists(basket: Basket) -> Iterator[Trial]:
    skus: dict[str, list[str]] = {}
    for line in basket.lines:
        if line.price_list:
            skus.setdefault(line.price_list, []).append(line.sku)
    for code in sorted(skus):
        yield Trial(RuleKind.PRICE_LIST, code, Outcome.APPLIED, {"skus": sorted(skus[code])})


def _codes(basket: Basket, examined: Examined, verdicts: Mapping[UUID, Verdict]) -> Iterator[Trial]:
    promotions: dict[UUID | None, Promotion] = {each.id: each for each in basket.promotions}
    for coupon in sorted(basket.coupons, key=lambda coupon: coupon.code):
        promotion = promotions.get(coupon.promotion_id)
        if promotion is None:
            verdict = Verdict(Outcome.UNKNOWN_CODE)
        else:
            verdict = _of_code(coupon, promotion, basket, examined) or verdicts[promotion.id]
            facts = {**verdict.facts, "promotion_id": str(promotion.id)}
            verdict = Verdict(verdict.outcome, facts)
        yield Trial.of(RuleKind.CODE, coupon.code, verdict)


def _of_code(
    coupon: Coupon, promotion: Promotion, basket: Basket, examined: Examined
) -> Verdict | None:
    """Return what came of the code itself; None when its promotion's verdict is its own."""
    if not promotion.needs_code:
        return Verdict(Outcome.CODE_NOT_NEEDED)
    if refused := code_refused(coupon, basket.customer):
        return refused
    found = examined[promotion.id]
    if isinstance(found, Candidate) and found.code != coupon.code:
        return Verdict(Outcome.CODE_NOT_NEEDED)
    return None


def _taxes(basket: Basket) -> Iterator[Trial]:
    taxes = basket.taxes
    named = {line.tax_class for line in basket.lines}
    if basket.shipping and taxes.shipping_taxed:
        named.add(basket.shipping.tax_class or taxes.shipping_class)
    for tax_class in sorted({taxes.class_of(each) for each in named}):
        rates = [f"{rate.code}:{rate.ppm}" for rate in taxes.on(tax_class)]
        outcome = Outcome.APPLIED if rates else Outcome.NO_RATE
        yield Trial(RuleKind.TAX, tax_class, outcome, {"zone": taxes.zone, "rates": rates})
