"""The documents of what takes something off a price, and of why."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from apps.kernel.money import Money
from apps.kernel.serializers import MoneyField, StrictCharField, StrictSerializer
from apps.orders.models import LONGEST_CODE, Order, OrderPromotion
from apps.orders.pricing import Outcome, RuleKind, Trial
from apps.orders.pricing.percentages import percentage_of
from apps.orders.services.cart_prices import PricedCart


class CouponDraft(StrictSerializer):
    """A code, in any case."""

    code = StrictCharField(max_length=LONGEST_CODE)


class SumsDocument(serializers.Serializer[Any]):
    """The parts of the grand total."""

    items = MoneyField()
    discount = MoneyField()
    shipping = MoneyField()
    tax = MoneyField(help_text="On top of the prices.")
    tax_included = MoneyField(help_text="In the prices; the grand total holds it already.")
    grand_total = MoneyField()


class TotalsDocument(SumsDocument):
    """The parts of the grand total, and who pays it."""

    to_pay = MoneyField(help_text="What gift cards and store credit leave for a payment.")


class DiscountDocument(serializers.Serializer[Any]):
    """A promotion that takes something off; `code` is null when it needs none."""

    promotion_id = serializers.UUIDField()
    code = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    amount = MoneyField()


class TaxDocument(serializers.Serializer[Any]):
    """A tax, and the amount without tax that bears it."""

    code = serializers.CharField()
    name = serializers.CharField()
    percentage = serializers.CharField()
    net = MoneyField()
    amount = MoneyField()


class TrialDocument(serializers.Serializer[Any]):
    """A rule that was tried, and what came of it. Amounts among the facts are minor units."""

    kind = serializers.ChoiceField(choices=[(k.value, k.name) for k in RuleKind])
    key = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[(o.value, o.name) for o in Outcome])
    facts = serializers.JSONField()


def cart_discounts(priced: PricedCart) -> list[dict[str, Any]]:
    """Return what takes something off a cart, each as DiscountDocument says."""
    return [
        {
            "promotion_id": applied.promotion_id,
            "code": applied.code or None,
            "name": priced.rules.rows[applied.promotion_id].name,
            "amount": Money(applied.amount, priced.cart.currency),
        }
        for applied in priced.quote.promotions
    ]


def order_discounts(rows: Iterable[OrderPromotion], *, currency: str) -> list[dict[str, Any]]:
    """Return what has taken something off an order, each as DiscountDocument says."""
    return [
        {
            "promotion_id": row.promotion_id,
            "code": row.code or None,
            "name": row.name,
            "amount": Money(row.amount_minor, currency),
        }
        for row in rows
    ]


def cart_taxes(priced: PricedCart) -> list[dict[str, Any]]:
    """Return the taxes of a cart, each as TaxDocument says."""
    return [
        {
            "code": each.rate.code,
            "name": priced.taxes.name_of(each.rate),
            "percentage": percentage_of(each.rate.ppm),
            "net": Money(each.net, priced.cart.currency),
            "amount": Money(each.amount, priced.cart.currency),
        }
        for each in priced.quote.taxes
    ]


def order_taxes(order: Order) -> list[dict[str, Any]]:
    """Return the taxes of an order, each as TaxDocument says."""
    return [
        {
            "code": each["code"],
            "name": each["name"],
            "percentage": percentage_of(each["ppm"]),
            "net": Money(each["net"], order.currency),
            "amount": Money(each["amount"], order.currency),
        }
        for each in order.taxes
    ]


def trial_document(trial: Trial) -> dict[str, Any]:
    """Return the trial as TrialDocument says."""
    return {
        "kind": trial.kind,
        "key": trial.key,
        "outcome": trial.outcome,
        "facts": dict(trial.facts),
    }
