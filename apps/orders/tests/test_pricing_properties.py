"""What holds for every basket, shown on many random ones.

`CARTS` are priced in all, spread over the properties; the environment variable PRICING_CARTS says
another number, for a longer look.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.orders.pricing import (
    Basket,
    Outcome,
    Parts,
    Promotion,
    Quote,
    RuleKind,
    Sold,
    quote,
    refund,
)
from apps.orders.tests.baskets import random_basket, shuffled

pytestmark = pytest.mark.long
CARTS = int(os.environ.get("PRICING_CARTS", "20000"))
PROPERTIES = 6

# One number for a basket: drawing each of its facts would take ten times as long as the pricing.
baskets = st.integers(0, 2**64).map(random_basket)
seeds = st.integers(0, 2**32)


def many(test: Callable[..., None]) -> Any:
    return settings(max_examples=-(-CARTS // PROPERTIES))(test)


@many
@given(baskets)
def test_lines_and_shipping_and_tax_without_discounts_are_the_total(basket: Basket) -> None:
    found = quote(basket)
    totals = found.totals

    assert sum(charge.total for charge in found.charges) == totals.grand_total.minor
    assert sum(quoted.charge.subtotal for quoted in found.lines) == totals.items.minor
    assert found.shipping.subtotal == totals.shipping.minor
    assert sum(charge.discount for charge in found.charges) == totals.discount.minor
    assert sum(each.amount for each in found.promotions) == totals.discount.minor
    tax = sum(charge.tax for charge in found.charges)
    assert tax == sum(each.amount for each in found.taxes)
    assert tax == (totals.tax + found.tax_included).minor
    assert 0 in {totals.tax.minor, found.tax_included.minor}
    for charge in found.charges:
        added = 0 if basket.taxes.included else charge.tax
        assert charge.total == charge.subtotal - charge.discount + added
    given_by = Counter[Any]()
    for charge in found.charges:
        for promotion_id, amount in charge.discounts:
            given_by[promotion_id] += amount
    assert given_by == {each.promotion_id: each.amount for each in found.promotions}


@many
@given(baskets)
def test_no_amount_is_negative_and_no_limit_is_passed(basket: Basket) -> None:
    found = quote(basket)

    for charge in found.charges:
        amounts = [charge.subtotal, charge.total, charge.net, charge.subtotal - charge.discount]
        amounts += [amount for _, amount in charge.discounts] + [tax.amount for tax in charge.taxes]
        assert all(type(amount) is int and amount >= 0 for amount in amounts)
        assert all(amount > 0 for _, amount in charge.discounts)
    promotions = {promotion.id: promotion for promotion in basket.promotions}
    for each in found.promotions:
        most = promotions[each.promotion_id].most
        assert each.amount > 0
        assert most is None or each.amount <= most
    groups = [promotions[each.promotion_id].stacking_group for each in found.promotions]
    assert max(Counter(filter(None, groups)).values(), default=1) == 1
    if any(promotions[each.promotion_id].exclusive for each in found.promotions):
        assert len(found.promotions) == 1


@many
@given(baskets, seeds)
def test_in_another_order_everything_costs_the_same(basket: Basket, seed: int) -> None:
    def told(found: Quote) -> Any:
        lines = sorted(found.lines, key=lambda quoted: quoted.line.variant_id)
        return replace(found, lines=tuple(lines))

    assert told(quote(shuffled(basket, seed))) == told(quote(basket))


@many
@given(baskets)
def test_of_one_priority_no_other_way_is_better_for_the_customer(basket: Basket) -> None:
    rules = [replace(promotion, priority=0) for promotion in basket.promotions]
    sharing = [promotion for promotion in rules if not promotion.exclusive]
    alone = [[promotion] for promotion in rules if promotion.exclusive]

    def taken_off(promotions: list[Promotion]) -> int:
        found = quote(replace(basket, promotions=tuple(promotions)))
        return found.totals.discount.minor

    assert taken_off(rules) == max(taken_off(way) for way in [sharing, *alone])


@many
@given(baskets)
def test_each_rule_is_explained_once(basket: Basket) -> None:
    found = quote(basket)

    tried = Counter((trial.kind, trial.key) for trial in found.explanation)
    promotions = {str(promotion.id) for promotion in basket.promotions}
    taxes = basket.taxes
    parcel = {basket.shipping.tax_class or taxes.shipping_class} if basket.shipping else set()
    named = {line.tax_class for line in basket.lines}
    named |= parcel if taxes.shipping_taxed else set()
    classes = {each if each in taxes.rates else taxes.default_class or each for each in named}
    assert tried == Counter(
        [
            *((RuleKind.PROMOTION, key) for key in promotions),
            *((RuleKind.CODE, coupon.code) for coupon in basket.coupons),
            *((RuleKind.PRICE_LIST, key) for key in {ln.price_list for ln in basket.lines} - {""}),
            *((RuleKind.TAX, key) for key in classes),
        ]
    )
    outcomes = {trial.key: trial.outcome for trial in found.explanation}
    applied = {
        trial.key: trial.facts["amount"]
        for trial in found.explanation
        if trial.kind is RuleKind.PROMOTION and trial.outcome is Outcome.APPLIED
    }
    assert applied == {str(each.promotion_id): each.amount for each in found.promotions}
    for trial in found.explanation:
        by: Any = trial.facts.get("by")
        if trial.outcome is Outcome.EXCLUDED:
            assert set(by) == applied.keys()
        if trial.outcome is Outcome.GROUP_TAKEN:
            assert {outcomes[key] for key in by} <= {Outcome.APPLIED, Outcome.EXCLUDED}
    codes = {
        trial.key
        for trial in found.explanation
        if trial.kind is RuleKind.CODE and trial.outcome is Outcome.APPLIED
    }
    assert codes == {each.code for each in found.promotions} - {""}


@many
@given(baskets, seeds)
def test_the_refunds_of_all_parts_are_the_total_in_any_order(basket: Basket, seed: int) -> None:
    found = quote(basket)
    sold = Sold.of(found)
    chance = random.Random(seed)
    wholes = [Parts({quoted.line.variant_id: n}) for quoted in found.lines for n in _cut(quoted)]
    parts = [*wholes, Parts(shipping=True)]
    chance.shuffle(parts)

    refunds = [refund(sold, part, earlier=parts[:before]) for before, part in enumerate(parts)]

    assert sum(each.total for each in refunds) == found.totals.grand_total.minor
    taxes = Counter[Any]()
    for each in refunds:
        for refunded in [*each.lines.values(), *filter(None, [each.shipping])]:
            assert refunded.net >= 0
            assert all(tax.amount >= 0 for tax in refunded.taxes)
            for tax in refunded.taxes:
                taxes[tax.rate] += tax.amount
    assert taxes == {each.rate: each.amount for each in found.taxes}


def _cut(quoted: Any) -> list[int]:
    """Return the pieces of a line in a few parts, the same ones each time."""
    quantity = quoted.line.quantity
    first = quantity // 3
    return [part for part in (first, first, quantity - 2 * first) if part]
