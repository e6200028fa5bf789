"""The documents of promotions and codes: what staff say, and what they see."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.core.validators import RegexValidator
from rest_framework import serializers

from apps.catalog import interface as catalog
from apps.kernel.money import Money
from apps.kernel.pagination import Page
from apps.kernel.serializers import (
    CurrencyField,
    MoneyField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.orders.models import LONGEST_CODE, Promotion
from apps.orders.models.promotion import COUPON_CODE, LARGEST_PRIORITY
from apps.orders.pricing import Conflict, Measure, Meeting
from apps.orders.states import PromotionStatus
from apps.users import interface as users

MOST_NAMED = 200
MOST_PIECES = 1_000_000
MOST_USES = 1_000_000_000
MOST_CODES = 10_000
SIMPLE = ("percentage", "amount_off", "amount_off_each")
KINDS = (*SIMPLE, "buy_x_get_y", "free_shipping", "tiers")
# What each kind of benefit needs, and what it may say beside that.
NEEDS = {
    "percentage": {"basis_points"},
    "amount_off": {"amount"},
    "amount_off_each": {"amount"},
    "buy_x_get_y": {"buy", "get"},
    "free_shipping": set(),
    "tiers": {"by", "tiers"},
}
MAY = {"buy_x_get_y": {"basis_points", "gets", "most_times"}}
a_code = RegexValidator(
    re.compile(COUPON_CODE, re.IGNORECASE | re.ASCII),
    "Use letters, digits and single hyphens or underscores.",
    code="coupon_code",
)
a_prefix = RegexValidator(
    re.compile(COUPON_CODE.replace(r"\Z", r"[-_]?\Z"), re.IGNORECASE | re.ASCII),
    "Use letters, digits and single hyphens or underscores.",
    code="coupon_code",
)


def _refuse(field: str, code: str, text: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: [serializers.ErrorDetail(text, code=code)]})


class Ids(serializers.ListField):
    """Ids of one kind."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=serializers.UUIDField(), max_length=MOST_NAMED, **options)


class SelectionDocument(StrictSerializer):
    """Some goods: what is named in each of the kinds that name something; all when none does."""

    category_ids = Ids(required=False, help_text="With all categories below them.")
    brand_ids = Ids(required=False)
    product_ids = Ids(required=False)
    tags = serializers.ListField(
        child=StrictCharField(max_length=80), max_length=MOST_NAMED, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for kind, missing in catalog.missing_goods(**attrs).items():
            name = "tag" if kind == "tags" else kind.removesuffix("_ids")
            raise _refuse(kind, f"unknown_{name}", f"Nothing is there: {', '.join(missing[:5])}.")
        return {kind: sorted({str(each) for each in named}) for kind, named in attrs.items()}


class SimpleBenefit(StrictSerializer):
    """A share off (`basis_points`), or an amount off all goods together or off each piece."""

    kind = serializers.ChoiceField(choices=SIMPLE)
    basis_points = StrictIntegerField(
        min_value=1, max_value=10_000, required=False, help_text="12.5 % is 1250."
    )
    amount = MoneyField(any_currency=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "kind" not in attrs:  # a change of a promotion may leave fields out, a benefit not
            raise _refuse("kind", "required", "A benefit is of a kind.")
        said = attrs.keys() - {"kind"}
        needed = NEEDS[attrs["kind"]]
        for missing in sorted(needed - said):
            raise _refuse(missing, "required", f"A benefit of this kind needs {missing}.")
        for more in sorted(said - needed - MAY.get(attrs["kind"], set())):
            raise _refuse(more, "not_of_this_kind", f"A benefit of this kind has no {more}.")
        if "amount" in attrs and not attrs["amount"].minor:
            raise _refuse("amount", "min_value", "Nothing off is no benefit.")
        return attrs


class TierDocument(StrictSerializer):
    """What counts from so many pieces, or from goods of that value, on."""

    at_least = StrictIntegerField(min_value=0, max_value=MOST_PIECES, required=False)
    at_least_amount = MoneyField(any_currency=True, required=False)
    benefit = SimpleBenefit()


class BenefitDocument(SimpleBenefit):
    """What a promotion takes off. Which fields it has depends on its kind."""

    kind = serializers.ChoiceField(choices=KINDS)
    buy = StrictIntegerField(min_value=1, max_value=MOST_PIECES, required=False)
    get = StrictIntegerField(min_value=1, max_value=MOST_PIECES, required=False)
    gets = SelectionDocument(
        required=False, allow_null=True, help_text="Null: the goods that are bought."
    )
    most_times = StrictIntegerField(
        min_value=1, max_value=MOST_PIECES, required=False, allow_null=True
    )
    by = serializers.ChoiceField(choices=[m.value for m in Measure], required=False)
    tiers = serializers.ListField(child=TierDocument(), min_length=1, max_length=20, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        wanted = "at_least" if attrs.get("by") == Measure.QUANTITY else "at_least_amount"
        for tier in attrs.get("tiers", ()):
            if tier.keys() != {wanted, "benefit"}:
                raise _refuse("tiers", "required", f"Each tier says {wanted} and its benefit.")
        return attrs


class PromotionChange(StrictSerializer):
    """What may be said about a promotion at any time."""

    name = StrictCharField(max_length=120, help_text="Shoppers see it.")
    benefit = BenefitDocument()
    goods = SelectionDocument(required=False)
    needs_code = StrictBooleanField(required=False)
    priority = StrictIntegerField(
        min_value=-LARGEST_PRIORITY, max_value=LARGEST_PRIORITY, required=False
    )
    exclusive = StrictBooleanField(required=False)
    stacking_group = StrictCharField(max_length=40, required=False, allow_blank=True)
    min_subtotal = MoneyField(any_currency=True, required=False, allow_null=True)
    min_quantity = StrictIntegerField(min_value=0, max_value=MOST_PIECES, required=False)
    customer_group_ids = Ids(required=False)
    first_order_only = StrictBooleanField(required=False)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="At this moment it counts no more."
    )
    max_discount = MoneyField(any_currency=True, required=False, allow_null=True)
    budget = MoneyField(any_currency=True, required=False, allow_null=True)
    uses_limit = StrictIntegerField(
        min_value=1, max_value=MOST_USES, required=False, allow_null=True
    )
    uses_per_customer = StrictIntegerField(
        min_value=1, max_value=MOST_USES, required=False, allow_null=True
    )

    def validate_customer_group_ids(self, group_ids: list[UUID]) -> list[str]:
        if set(group_ids) - users.groups_among(group_ids=group_ids):
            raise serializers.ValidationError("There is no such group.", code="unknown_group")
        return sorted({str(group_id) for group_id in group_ids})


class PromotionDraft(PromotionChange):
    """A new promotion. Its currency, which all its amounts are in, never changes."""

    currency = CurrencyField(
        max_length=3, required=False, allow_null=True, help_text="Null: any; it says no amount."
    )


class PromotionWarning(serializers.Serializer[Any]):
    """Another active promotion that this one meets."""

    code = serializers.ChoiceField(choices=[(m.value, m.name) for m in Meeting])
    promotion_id = serializers.UUIDField()


class PromotionDocument(serializers.Serializer[Any]):
    """A promotion. `uses` and `budget_used` are null as long as nothing limits them."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in PromotionStatus])
    name = serializers.CharField()
    benefit = BenefitDocument()
    goods = SelectionDocument()
    needs_code = serializers.BooleanField()
    priority = serializers.IntegerField()
    exclusive = serializers.BooleanField()
    stacking_group = serializers.CharField()
    currency = serializers.CharField(allow_null=True)
    min_subtotal = MoneyField(allow_null=True)
    min_quantity = serializers.IntegerField()
    customer_group_ids = serializers.ListField(child=serializers.UUIDField())
    first_order_only = serializers.BooleanField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    max_discount = MoneyField(allow_null=True)
    budget = MoneyField(allow_null=True)
    uses_limit = serializers.IntegerField(allow_null=True)
    uses_per_customer = serializers.IntegerField(allow_null=True)
    uses = serializers.IntegerField(allow_null=True)
    budget_used = MoneyField(allow_null=True)
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    warnings = PromotionWarning(
        many=True, required=False, help_text="After it was saved or activated."
    )


class PromotionPage(Page):
    """A page of promotions."""

    results = PromotionDocument(many=True)


class CouponBatchDraft(StrictSerializer):
    """Codes by name, or so many that nobody can guess; the limits are those of each code."""

    codes = serializers.ListField(
        child=StrictCharField(max_length=LONGEST_CODE, validators=[a_code]),
        min_length=1,
        max_length=100,
        required=False,
    )
    count = StrictIntegerField(min_value=1, max_value=MOST_CODES, required=False)
    prefix = StrictCharField(max_length=20, required=False, validators=[a_prefix])
    uses_limit = StrictIntegerField(
        min_value=1, max_value=MOST_USES, allow_null=True, default=1, help_text="Null: none."
    )
    uses_per_customer = StrictIntegerField(
        min_value=1, max_value=MOST_USES, allow_null=True, default=None
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("codes" in attrs) == ("count" in attrs):
            raise serializers.ValidationError("Give codes or count, one of them.", code="one_of")
        if "prefix" in attrs and "count" not in attrs:
            raise _refuse("prefix", "one_of", "A prefix is for codes that are made.")
        codes = attrs.get("codes", [])
        if len({code.upper() for code in codes}) < len(codes):
            raise _refuse("codes", "repeated", "A code stands twice.")
        return attrs


class CouponBatchDocument(serializers.Serializer[Any]):
    """Codes that were made together."""

    id = serializers.UUIDField()
    count = serializers.IntegerField()
    uses_limit = serializers.IntegerField(allow_null=True)
    uses_per_customer = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class CouponBatchPage(Page):
    """A page of batches."""

    results = CouponBatchDocument(many=True)


class CouponDocument(serializers.Serializer[Any]):
    """A code. Its uses are counted where there is a limit, and null otherwise."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    uses = serializers.IntegerField(allow_null=True)
    uses_limit = serializers.IntegerField(allow_null=True)
    uses_per_customer = serializers.IntegerField(allow_null=True)


class CouponPage(Page):
    """A page of codes."""

    results = CouponDocument(many=True)


AMOUNTS = {"min_subtotal": 0, "max_discount": None, "budget": None}


def promotion_fields(said: Mapping[str, Any], *, currency: str) -> dict[str, Any]:
    """Return what was said as the columns of a promotion of this currency.

    Raises ValidationError for an amount in another one.
    """
    fields = dict(said)
    for name, nothing in AMOUNTS.items():
        if name in fields:
            money = fields.pop(name)
            if nothing is None and money is not None and not money.minor:
                raise _refuse(name, "min_value", "Leave it out, or say null, where there is none.")
            fields[f"{name}_minor"] = nothing if money is None else _minor(money, currency, name)
    if "benefit" in fields:
        fields["benefit"] = _stored_benefit(fields["benefit"], currency)
    return fields


def promotion_document(
    row: Promotion, *, warnings: Iterable[Conflict] | None = None
) -> dict[str, Any]:
    """Return the promotion as PromotionDocument says."""

    def money(minor: int | None) -> Money | None:
        return None if minor is None or not row.currency else Money(minor, row.currency)

    plain = (
        *("id", "status", "name", "goods", "needs_code", "priority", "exclusive"),
        *("stacking_group", "min_quantity", "customer_group_ids", "first_order_only"),
        *("starts_at", "ends_at", "uses_limit", "uses_per_customer", "created_at", "version"),
    )
    document = {name: getattr(row, name) for name in plain} | {
        "benefit": _shown_benefit(row.benefit, row.currency),
        "currency": row.currency or None,
        "min_subtotal": money(row.min_subtotal_minor or None),
        "max_discount": money(row.max_discount_minor),
        "budget": money(row.budget_minor),
        "uses": row.uses if row.is_counted else None,
        "budget_used": money(row.budget_used_minor) if row.is_counted else None,
    }
    if warnings is not None:
        document["warnings"] = [
            {"code": each.meeting, "promotion_id": each.promotion_id} for each in warnings
        ]
    return document


def _minor(money: Money, currency: str, field: str) -> int:
    if money.currency != currency:
        raise _refuse(field, "currency_mismatch", "All amounts are in the promotion's currency.")
    return money.minor


def _stored_benefit(said: Mapping[str, Any], currency: str) -> dict[str, Any]:
    stored = dict(said)
    if "amount" in stored:
        stored["amount"] = _minor(stored["amount"], currency, "benefit")
    if "tiers" in stored:
        stored["tiers"] = [
            {
                "at_least": tier["at_least"]
                if "at_least" in tier
                else _minor(tier["at_least_amount"], currency, "benefit"),
                "benefit": _stored_benefit(tier["benefit"], currency),
            }
            for tier in stored["tiers"]
        ]
    return stored


def _shown_benefit(stored: Mapping[str, Any], currency: str) -> dict[str, Any]:
    shown = dict(stored)
    if "amount" in shown:
        shown["amount"] = Money(shown["amount"], currency)
    if "tiers" in shown:
        by_amount = shown["by"] == Measure.SUBTOTAL
        shown["tiers"] = [
            {
                "at_least_amount" if by_amount else "at_least": Money(tier["at_least"], currency)
                if by_amount
                else tier["at_least"],
                "benefit": _shown_benefit(tier["benefit"], currency),
            }
            for tier in shown["tiers"]
        ]
    return shown
