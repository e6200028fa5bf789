"""What can come of a rule that is tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fact = int | str | list[str]


class RuleKind(StrEnum):
    """What can change a price."""

    PRICE_LIST = "price_list"
    PROMOTION = "promotion"
    CODE = "code"
    TAX = "tax"


class Outcome(StrEnum):
    """What came of a rule. The values are stable; docs/pricing.md says what each means."""

    APPLIED = "applied"
    BELOW_FIRST_TIER = "below_first_tier"
    BELOW_MIN_QUANTITY = "below_min_quantity"
    BELOW_MIN_SUBTOTAL = "below_min_subtotal"
    BUDGET_SPENT = "budget_spent"
    CODE_MISSING = "code_missing"
    CODE_NOT_NEEDED = "code_not_needed"
    CODE_USED_UP = "code_used_up"
    CUSTOMER_UNKNOWN = "customer_unknown"
    CUSTOMER_USED_UP = "customer_used_up"
    DISCOUNTS_NOTHING = "discounts_nothing"
    ENDED = "ended"
    EXCLUDED = "excluded"
    GROUP_TAKEN = "group_taken"
    INCOMPLETE_SET = "incomplete_set"
    NO_MATCHING_GOODS = "no_matching_goods"
    NO_RATE = "no_rate"
    NOT_FIRST_ORDER = "not_first_order"
    NOT_STARTED = "not_started"
    NOTHING_TO_SHIP = "nothing_to_ship"
    OTHER_CURRENCY = "other_currency"
    OTHER_CUSTOMER_GROUP = "other_customer_group"
    SHIPPING_NOT_CHOSEN = "shipping_not_chosen"
    UNKNOWN_CODE = "unknown_code"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a rule, and the facts that decided."""

    outcome: Outcome
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule that was tried.

    `key` names it among its kind: the price list's code, the promotion's id, the coupon code, the
    tax class. Amounts among the facts are minor units.
    """

    kind: RuleKind
    key: str
    outcome: Outcome
    facts: Mapping[str, Fact]

    @classmethod
    def of(cls, kind: RuleKind, key: str, verdict: Verdict) -> "Trial":
        """Return the trial of a rule that ended with this verdict."""
        return cls(kind, key, verdict.outcome, verdict.facts)
