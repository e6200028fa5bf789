"""Reads of gift cards and store credit: what staff and customers look at, what pays for a cart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import JSONField, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from apps.kernel.errors import NotFound
from apps.orders.models import Cart, StoredValue, ValueMovement
from apps.orders.pricing.tenders import shares

MOST_MOVEMENTS = 100

# What is to pay for a row of orders_cart, as `balances_from` reads it.
BALANCES = RawSQL(
    """CASE WHEN orders_cart.store_credit OR orders_cart.gift_cards <> '[]' THEN (
        SELECT jsonb_agg(jsonb_build_array(
            s.id, s.kind, s.currency, s.balance_minor, s.last_four, s.disabled_at, s.expires_at
        ))
        FROM (
            SELECT * FROM orders_storedvalue WHERE id IN (
                SELECT card::uuid FROM jsonb_array_elements_text(orders_cart.gift_cards) AS card
            )
            UNION ALL
            SELECT * FROM orders_storedvalue WHERE orders_cart.store_credit
                AND customer_id = orders_cart.customer_id AND currency = orders_cart.currency
        ) s
    ) END""",
    [],
    JSONField(),
)


class UnknownGiftCard(NotFound):
    """There is no such gift card."""

    code = "unknown_gift_card"


@dataclass(frozen=True, slots=True)
class Tender:
    """A balance that is to pay, and how much it would pay now."""

    account: StoredValue
    amount_minor: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tenders:
    """What pays for a cart before a payment does."""

    gift_cards: tuple[Tender, ...] = ()
    store_credit: Tender | None = None

    @property
    def amount_minor(self) -> int:
        """What they pay together."""
        credit = self.store_credit.amount_minor if self.store_credit else 0
        return credit + sum(card.amount_minor for card in self.gift_cards)


NONE = Tenders()


def balances_from(rows: Iterable[Sequence[Any]] | None) -> list[StoredValue]:
    """Return the balances that a statement about a cart has brought along."""
    return [
        StoredValue(
            id=UUID(account_id),
            kind=kind,
            currency=currency,
            balance_minor=balance,
            last_four=last_four,
            disabled_at=disabled_at and datetime.fromisoformat(disabled_at),
            expires_at=expires_at and datetime.fromisoformat(expires_at),
        )
        for account_id, kind, currency, balance, last_four, disabled_at, expires_at in rows or ()
    ]


def tenders_for(
    cart: Cart, total_minor: int, found: Sequence[StoredValue] | None = None
) -> Tenders:
    """Return what would pay for a cart now.

    One statement, unless the balances are given; none for a cart that names nothing.
    """
    if not cart.gift_cards and not cart.store_credit:
        return NONE
    if found is None:
        wanted = Q(pk__in=cart.gift_cards)
        if cart.store_credit:
            wanted |= Q(customer_id=cart.customer_id, currency=cart.currency)
        found = list(StoredValue.objects.filter(wanted))
    by_id = {str(row.pk): row for row in found if row.kind == StoredValue.Kind.GIFT_CARD}
    cards = [by_id[card_id] for card_id in cart.gift_cards if card_id in by_id]
    credit = next((row for row in found if row.kind == StoredValue.Kind.STORE_CREDIT), None)
    if cart.store_credit and credit is None:
        credit = StoredValue(
            kind=StoredValue.Kind.STORE_CREDIT, currency=cart.currency, balance_minor=0
        )
    problems = [problem_of(card, cart.currency) for card in cards]
    usable = [
        0 if problem else card.balance_minor for card, problem in zip(cards, problems, strict=True)
    ]
    parts = shares(total_minor, [*usable, *([credit.balance_minor] if credit else [])])
    return Tenders(
        gift_cards=tuple(map(Tender, cards, parts, problems)),
        store_credit=Tender(credit, parts[-1]) if credit else None,
    )


def problem_of(card: StoredValue, currency: str | None = None) -> str:
    """Return why a card cannot pay, in that currency if one is named; empty when it can."""
    if card.disabled_at is not None:
        return "disabled"
    if card.expires_at is not None and card.expires_at <= timezone.now():
        return "expired"
    return "other_currency" if currency and card.currency != currency else ""


def gift_card_of(*, gift_card_id: UUID) -> StoredValue:
    """Return a gift card. Raises UnknownGiftCard."""
    cards = StoredValue.objects.filter(kind=StoredValue.Kind.GIFT_CARD)
    card = cards.filter(pk=gift_card_id).first()
    if card is None:
        raise UnknownGiftCard("There is no such gift card.")
    return card


def store_credits_of(*, customer_id: UUID) -> list[StoredValue]:
    """Return a customer's store credit, one for each currency."""
    return list(StoredValue.objects.filter(customer_id=customer_id).order_by("currency"))


def movements_of(accounts: Iterable[StoredValue]) -> dict[UUID, list[ValueMovement]]:
    """Return the newest movements of each account, at most a hundred. One statement each."""
    return {
        account.pk: list(account.movements.order_by("-id")[:MOST_MOVEMENTS]) for account in accounts
    }
