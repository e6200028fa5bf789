"""The documents of gift cards and store credit: what is taken in, and what is given out."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from apps.kernel.money import CURRENCIES, Money
from apps.kernel.pagination import Page
from apps.kernel.serializers import (
    MoneyField,
    StrictBooleanField,
    StrictCharField,
    StrictSerializer,
)
from apps.orders.models import OrderTender, StoredValue, ValueMovement
from apps.orders.selectors.stored_value import Tender, problem_of

LONGEST_GIVEN_CODE = 40
STATES = ("usable", "disabled", "expired")
CHANGES = ("grant", "take")


class GiftCardCode(StrictSerializer):
    """A code: case, spaces and hyphens are free."""

    code = StrictCharField(max_length=LONGEST_GIVEN_CODE)


class GiftCardDraft(StrictSerializer):
    """How much a new card is worth, until when, and a note for staff."""

    amount = MoneyField(any_currency=True)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    note = StrictCharField(max_length=200, required=False, allow_blank=True, default="")

    def validate_amount(self, amount: Money) -> Money:
        if amount.currency not in CURRENCIES:
            raise serializers.ValidationError("There is no such currency.", code="unknown_currency")
        return amount


class GiftCardChange(StrictSerializer):
    """What changes of a card; its balance does not."""

    disabled = StrictBooleanField(required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    note = StrictCharField(max_length=200, required=False, allow_blank=True)


class StoreCreditChange(StrictSerializer):
    """How much is granted or taken, and why; the customer reads it."""

    change = serializers.ChoiceField(choices=CHANGES)
    amount = MoneyField()
    reason = StrictCharField(max_length=200)


class ValueMovementDocument(serializers.Serializer[Any]):
    """What was added to a balance, or, with a minus, taken off it."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ValueMovement.Kind.choices)
    amount = MoneyField()
    order_id = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class GiftCardSummary(serializers.Serializer[Any]):
    """A card. Nobody can be told its code again."""

    id = serializers.UUIDField()
    last_four = serializers.CharField()
    balance = MoneyField()
    state = serializers.ChoiceField(choices=STATES)
    expires_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class GiftCardDocument(GiftCardSummary):
    """A card with its newest movements, at most a hundred."""

    movements = ValueMovementDocument(many=True)


class IssuedGiftCard(GiftCardDocument):
    """A new card, and its code, once."""

    code = serializers.CharField()


class GiftCardPage(Page):
    """A page of cards."""

    results = GiftCardSummary(many=True)


class GiftCardBalance(serializers.Serializer[Any]):
    """What whoever knows a code is told of the card."""

    last_four = serializers.CharField()
    balance = MoneyField()
    state = serializers.ChoiceField(choices=STATES)
    expires_at = serializers.DateTimeField(allow_null=True)


class StoreCreditDocument(serializers.Serializer[Any]):
    """A customer's store credit in one currency, with its newest movements, at most a hundred."""

    balance = MoneyField()
    movements = ValueMovementDocument(many=True)


class StoreCreditList(serializers.Serializer[Any]):
    """A customer's store credit, one for each currency in which there was any."""

    results = StoreCreditDocument(many=True)


class CartGiftCardDocument(serializers.Serializer[Any]):
    """A card that is to pay for a cart; `problem` says why it cannot."""

    id = serializers.UUIDField()
    last_four = serializers.CharField()
    balance = MoneyField()
    amount = MoneyField(help_text="What it would pay now.")
    problem = serializers.CharField(allow_null=True)


class CartStoreCreditDocument(serializers.Serializer[Any]):
    """The customer's store credit, and what it would pay now."""

    balance = MoneyField()
    amount = MoneyField()


class TenderDocument(serializers.Serializer[Any]):
    """What a gift card or store credit has paid of an order, and how much of it has gone back."""

    kind = serializers.ChoiceField(choices=StoredValue.Kind.choices)
    last_four = serializers.CharField(allow_null=True, help_text="Of a gift card.")
    amount = MoneyField()
    returned = MoneyField()


def movement_document(movement: ValueMovement, currency: str) -> dict[str, Any]:
    """Return the movement as ValueMovementDocument says."""
    return {
        "id": movement.pk,
        "kind": movement.kind,
        "amount": Money(movement.amount_minor, currency),
        "order_id": movement.order_id,
        "reason": movement.reason,
        "at": movement.at,
    }


def gift_card_summary(card: StoredValue) -> dict[str, Any]:
    """Return the card as GiftCardSummary says."""
    return {
        "id": card.pk,
        **gift_card_balance(card),
        "note": card.note,
        "version": card.version,
        "created_at": card.created_at,
    }


def gift_card_balance(card: StoredValue) -> dict[str, Any]:
    """Return the card as GiftCardBalance says."""
    return {
        "last_four": card.last_four,
        "balance": Money(card.balance_minor, card.currency),
        "state": problem_of(card) or "usable",
        "expires_at": card.expires_at,
    }


def gift_card_document(card: StoredValue, movements: Iterable[ValueMovement]) -> dict[str, Any]:
    """Return the card as GiftCardDocument says."""
    listed = [movement_document(each, card.currency) for each in movements]
    return {**gift_card_summary(card), "movements": listed}


def store_credit_document(
    credit: StoredValue, movements: Iterable[ValueMovement]
) -> dict[str, Any]:
    """Return the store credit as StoreCreditDocument says."""
    return {
        "balance": Money(credit.balance_minor, credit.currency),
        "movements": [movement_document(each, credit.currency) for each in movements],
    }


def cart_gift_card(card: Tender, currency: str) -> dict[str, Any]:
    """Return the card as CartGiftCardDocument says."""
    return {
        "id": card.account.pk,
        "last_four": card.account.last_four,
        "balance": Money(card.account.balance_minor, card.account.currency),
        "amount": Money(card.amount_minor, currency),
        "problem": card.problem or None,
    }


def cart_store_credit(credit: Tender | None) -> dict[str, Any] | None:
    """Return the store credit as CartStoreCreditDocument says, if it is to pay."""
    if credit is None:
        return None
    currency = credit.account.currency
    return {
        "balance": Money(credit.account.balance_minor, currency),
        "amount": Money(credit.amount_minor, currency),
    }


def tender_documents(tenders: Iterable[OrderTender], *, currency: str) -> list[dict[str, Any]]:
    """Return what has paid, each as TenderDocument says."""
    return [
        {
            "kind": tender.account.kind,
            "last_four": tender.account.last_four or None,
            "amount": Money(tender.amount_minor, currency),
            "returned": Money(tender.returned_minor, currency),
        }
        for tender in tenders
    ]
