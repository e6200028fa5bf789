"""Each code that a rule can end with, by the smallest basket in which it does."""

from datetime import timedelta
from typing import Any

import pytest

from apps.orders.pricing import (
    AmountOff,
    BuyXGetY,
    Coupon,
    Customer,
    FreeShipping,
    Measure,
    Outcome,
    Percentage,
    RuleKind,
    Selection,
    Shipping,
    Taxes,
    Tier,
    Tiers,
    quote,
)
from apps.orders.tests.baskets import NOON, VAT, basket, line, number, promotion, trial_of

TENTH = Percentage(1000)
ELSEWHERE = Selection(category_ids=frozenset({number(9)}))
SECOND = timedelta(seconds=1)


def tried(rule: Any, *others: Any, **facts: Any) -> tuple[Outcome, dict[str, Any]]:
    """Return what comes of the promotion with two lines of 10.00, and its facts."""
    facts = {"lines": (line(1, 1000), line(2, 1000)), **facts}
    found = quote(basket(*facts.pop("lines"), promotions=(rule, *others), **facts))
    trial = trial_of(found, str(rule.id))
    applied = trial.outcome is Outcome.APPLIED
    assert applied == (rule.id in {each.promotion_id for each in found.promotions})
    return trial.outcome, dict(trial.facts)


def test_what_applies_says_how_much_it_takes_off() -> None:
    assert tried(promotion(1, TENTH)) == (Outcome.APPLIED, {"amount": 200})


@pytest.mark.parametrize(
    ("facts", "outcome", "told"),
    [
        ({"currency": "USD"}, Outcome.OTHER_CURRENCY, {"currency": "USD"}),
        (
            {"starts_at": NOON + SECOND},
            Outcome.NOT_STARTED,
            {"starts_at": "2026-06-15T12:00:01+00:00"},
        ),
        ({"ends_at": NOON}, Outcome.ENDED, {"ends_at": "2026-06-15T12:00:00+00:00"}),
        ({"uses_left": 0}, Outcome.USED_UP, {}),
        ({"budget_left": 0}, Outcome.BUDGET_SPENT, {}),
        ({"needs_code": True}, Outcome.CODE_MISSING, {}),
        ({"goods": ELSEWHERE}, Outcome.NO_MATCHING_GOODS, {}),
        ({"min_quantity": 3}, Outcome.BELOW_MIN_QUANTITY, {"needed": 3, "has": 2}),
        ({"min_subtotal": 2001}, Outcome.BELOW_MIN_SUBTOTAL, {"needed": 2001, "has": 2000}),
        ({"max_discount": 0}, Outcome.DISCOUNTS_NOTHING, {}),
    ],
    ids=str,
)
def test_a_condition_that_does_not_hold(facts: Any, outcome: Outcome, told: Any) -> None:
    assert tried(promotion(1, TENTH, **facts)) == (outcome, told)


@pytest.mark.parametrize(
    "facts",
    [
        {"currency": "EUR"},
        {"starts_at": NOON},
        {"ends_at": NOON + SECOND},
        {"uses_left": 1},
        {"budget_left": 200},
        {"min_quantity": 2},
        {"min_subtotal": 2000},
    ],
    ids=str,
)
def test_a_condition_that_just_holds(facts: Any) -> None:
    assert tried(promotion(1, TENTH, **facts)) == (Outcome.APPLIED, {"amount": 200})


@pytest.mark.parametrize(
    ("facts", "customer", "outcome", "told"),
    [
        ({"customer_group_ids": frozenset({number(5)})}, None, Outcome.CUSTOMER_UNKNOWN, {}),
        ({"first_order_only": True}, None, Outcome.CUSTOMER_UNKNOWN, {}),
        ({"uses_per_customer": 1}, None, Outcome.CUSTOMER_UNKNOWN, {}),
        (
            {"customer_group_ids": frozenset({number(5)})},
            Customer(group_id=number(6)),
            Outcome.OTHER_CUSTOMER_GROUP,
            {},
        ),
        ({"first_order_only": True}, Customer(), Outcome.NOT_FIRST_ORDER, {}),
        (
            {"uses_per_customer": 2},
            Customer(uses={number(1): 2}),
            Outcome.CUSTOMER_USED_UP,
            {"uses": 2, "limit": 2},
        ),
        (
            {"customer_group_ids": frozenset({number(5)}), "uses_per_customer": 2},
            Customer(group_id=number(5), uses={number(1): 1}),
            Outcome.APPLIED,
            {"amount": 200},
        ),
        (
            {"first_order_only": True},
            Customer(first_order=True),
            Outcome.APPLIED,
            {"amount": 200},
        ),
    ],
    ids=str,
)
def test_what_depends_on_the_customer(
    facts: Any, customer: Customer | None, outcome: Outcome, told: Any
) -> None:
    assert tried(promotion(1, TENTH, **facts), customer=customer) == (outcome, told)


def test_a_tier_that_is_not_reached() -> None:
    tiers = Tiers(Measure.QUANTITY, (Tier(3, TENTH), Tier(5, Percentage(2000))))

    told = {"measure": "quantity", "needed": 3, "has": 2}
    assert tried(promotion(1, tiers)) == (Outcome.BELOW_FIRST_TIER, told)


def test_a_set_that_is_not_complete() -> None:
    offer = BuyXGetY(buy=2, get=1)

    assert tried(promotion(1, offer)) == (Outcome.INCOMPLETE_SET, {"buy": 2, "get": 1})


def test_shipping_that_nobody_has_chosen() -> None:
    assert tried(promotion(1, FreeShipping())) == (Outcome.SHIPPING_NOT_CHOSEN, {})


def test_goods_that_are_not_sent() -> None:
    download = (line(1, 1000, requires_shipping=False),)

    found = tried(promotion(1, FreeShipping()), lines=download, shipping=Shipping(500))

    assert found == (Outcome.NOTHING_TO_SHIP, {})


@pytest.mark.parametrize("benefit", [TENTH, AmountOff(1), BuyXGetY(buy=1, get=1)], ids=str)
def test_what_is_free_already(benefit: Any) -> None:
    free = (line(1, 0, quantity=2),)

    assert tried(promotion(1, benefit), lines=free) == (Outcome.DISCOUNTS_NOTHING, {})


def test_an_exclusive_promotion_excludes_what_is_worth_less() -> None:
    best, other = promotion(1, Percentage(2000), exclusive=True), promotion(2, TENTH)

    assert tried(other, best) == (Outcome.EXCLUDED, {"by": [str(best.id)]})
    assert tried(best, other) == (Outcome.APPLIED, {"amount": 400})


def test_an_exclusive_promotion_is_excluded_by_what_is_worth_more_together() -> None:
    alone = promotion(1, Percentage(1500), exclusive=True)
    two = promotion(2, TENTH), promotion(3, TENTH)

    assert tried(alone, *two) == (Outcome.EXCLUDED, {"by": [str(each.id) for each in two]})


def test_of_a_stacking_group_the_best_takes_the_place() -> None:
    worse = promotion(1, TENTH, stacking_group="summer")
    best = promotion(2, Percentage(2000), stacking_group="summer")

    assert tried(worse, best) == (Outcome.GROUP_TAKEN, {"by": [str(best.id)]})
    assert tried(best, worse) == (Outcome.APPLIED, {"amount": 400})


def coupon_tried(*coupons: Coupon, **facts: Any) -> list[tuple[str, Outcome, dict[str, Any]]]:
    """Return what comes of the codes with a promotion that needs one, number 1, of 10 %."""
    rule = promotion(1, TENTH, **{"needs_code": True, **facts})
    found = quote(basket(line(1, 1000), promotions=(rule,), coupons=coupons))
    return [
        (trial.key, trial.outcome, dict(trial.facts))
        for trial in found.explanation
        if trial.kind is RuleKind.CODE
    ]


ONE = {"promotion_id": str(number(1))}


def test_a_code_tells_what_its_promotion_does() -> None:
    assert coupon_tried(Coupon("SUN", number(1))) == [
        ("SUN", Outcome.APPLIED, {"amount": 100} | ONE)
    ]
    assert coupon_tried(Coupon("SUN", number(1)), uses_left=0) == [("SUN", Outcome.USED_UP, ONE)]


def test_a_code_that_nobody_knows() -> None:
    assert coupon_tried(Coupon("SUM", None)) == [("SUM", Outcome.UNKNOWN_CODE, {})]
    assert coupon_tried(Coupon("SUM", number(8))) == [("SUM", Outcome.UNKNOWN_CODE, {})]


def test_a_code_of_which_nothing_is_left() -> None:
    coupon = Coupon("SUN", number(1), uses_left=0)

    assert coupon_tried(coupon) == [("SUN", Outcome.CODE_USED_UP, ONE)]


def test_a_code_with_a_limit_for_each_customer_wants_to_know_who_that_is() -> None:
    coupon = Coupon("SUN", number(1), uses_per_customer=1)

    assert coupon_tried(coupon) == [("SUN", Outcome.CUSTOMER_UNKNOWN, ONE)]


def test_a_code_that_the_customer_has_used() -> None:
    coupon = Coupon("SUN", number(1), uses_per_customer=1)
    rule = promotion(1, TENTH, needs_code=True)

    found = tried(rule, coupons=(coupon,), customer=Customer(code_uses={"SUN": 1}))

    assert found == (Outcome.CUSTOMER_USED_UP, {"uses": 1, "limit": 1})


def test_of_two_codes_for_one_promotion_the_first_that_counts_is_used() -> None:
    spent, first, second = (
        Coupon("A", number(1), uses_left=0),
        Coupon("B", number(1)),
        Coupon("C", number(1)),
    )

    assert coupon_tried(second, first, spent) == [
        ("A", Outcome.CODE_USED_UP, ONE),
        ("B", Outcome.APPLIED, {"amount": 100} | ONE),
        ("C", Outcome.CODE_NOT_NEEDED, ONE),
    ]


def test_a_code_for_what_everybody_gets() -> None:
    coupon = Coupon("SUN", number(1))
    not_needed = [("SUN", Outcome.CODE_NOT_NEEDED, ONE)]

    assert coupon_tried(coupon, needs_code=False) == not_needed
    assert coupon_tried(coupon, needs_code=False, uses_left=0) == not_needed


def test_price_lists_and_taxes_are_explained_too() -> None:
    lines = (
        line(1, 1000, price_list="b2b", price_list_price=900),
        line(2, 500, tax_class="book"),
    )
    found = quote(basket(*lines, taxes=Taxes(zone="DE", rates={"standard": (VAT,)})))

    told = [(trial.kind, trial.key, trial.outcome, trial.facts) for trial in found.explanation]
    assert told == [
        (RuleKind.PRICE_LIST, "b2b", Outcome.APPLIED, {"skus": ["SKU-1"]}),
        (RuleKind.TAX, "book", Outcome.NO_RATE, {"zone": "DE", "rates": []}),
        (RuleKind.TAX, "standard", Outcome.APPLIED, {"zone": "DE", "rates": ["vat:190000"]}),
    ]


def test_every_code_is_on_the_page_about_prices(settings: Any) -> None:
    page = (settings.BASE_DIR / "docs/pricing.md").read_text()

    assert [outcome for outcome in Outcome if f"| `{outcome}` |" not in page] == []
