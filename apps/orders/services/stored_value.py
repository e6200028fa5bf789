"""Everything that staff do to gift cards and store credit, and looking a card up by its code."""

import secrets
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, NotFound, VersionMismatch
from apps.kernel.ids import new_id
from apps.kernel.money import Money
from apps.orders.models import LedgerAccount, StoredValue, ValueMovement
from apps.orders.selectors.orders import hash_of
from apps.orders.selectors.stored_value import UnknownGiftCard
from apps.orders.services.value_movements import move_value, store_credit_of
from apps.users import interface as users

# Without what looks like something else. Sixteen of them are one of 2^80: nobody guesses that.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
GROUPS, LETTERS_A_GROUP = 4, 4
BATCH = 500

Kind = ValueMovement.Kind


class UnknownCustomer(NotFound):
    """There is no such customer."""

    code = "unknown_customer"


class NothingToMove(Invalid):
    """A balance is changed by something."""

    code = "nothing_to_move"


class BalanceTooLow(Conflict):
    """More was to be taken off than there is; `balance` says how much there is."""

    code = "balance_too_low"


class GiftCardFields(TypedDict, total=False):
    """What staff change of a card."""

    disabled: bool
    expires_at: datetime | None
    note: str


def hash_of_code(code: str) -> str:
    """Return what is stored of a code, however it is written: case, spaces and hyphens are free."""
    return hash_of("".join(code.upper().replace("-", " ").split()))


@transaction.atomic
def issue_gift_card(
    *, amount: Money, expires_at: datetime | None = None, note: str = "", code: str = ""
) -> tuple[StoredValue, str]:
    """Make a gift card. Returns it with its code, which nobody can be told again.

    Raises NothingToMove.
    """
    if amount.minor <= 0:
        raise NothingToMove("A gift card begins with more than nothing.")
    code = code or new_code()
    card = StoredValue.objects.create(
        kind=StoredValue.Kind.GIFT_CARD,
        currency=amount.currency,
        code_hash=hash_of_code(code),
        last_four=code[-4:],
        expires_at=expires_at,
        note=note,
    )
    move_value(
        card,
        Kind.ISSUE,
        amount.minor,
        source_id=card.pk,
        against={LedgerAccount.CARDS_ISSUED: amount.minor},
    )
    record(
        "orders.gift_card_issued",
        about=card.pk,
        after={"amount_minor": amount.minor, "currency": amount.currency},
    )
    card.refresh_from_db()
    return card, code


@transaction.atomic
def change_gift_card(
    *, gift_card_id: UUID, fields: GiftCardFields, version: int | None = None
) -> StoredValue:
    """Disable a card or let it be used again, change when it ends, write a note.

    Raises UnknownGiftCard, VersionMismatch.
    """
    cards = StoredValue.objects.select_for_update(no_key=True)
    card = cards.filter(pk=gift_card_id, kind=StoredValue.Kind.GIFT_CARD).first()
    if card is None:
        raise UnknownGiftCard("There is no such gift card.")
    if version is not None and version != card.version:
        raise VersionMismatch("The card has changed since.", version=card.version)
    before = _told(card)
    if "disabled" in fields and fields["disabled"] != before["disabled"]:
        card.disabled_at = Now() if fields["disabled"] else None
    card.expires_at = fields.get("expires_at", card.expires_at)
    card.note = fields.get("note", card.note)
    card.version += 1
    card.save(update_fields=["disabled_at", "expires_at", "note", "version"])
    card.refresh_from_db()
    record("orders.gift_card_changed", about=card.pk, before=before, after=_told(card))
    return card


@transaction.atomic
def grant_store_credit(*, customer_id: UUID, amount: Money, reason: str) -> StoredValue:
    """Add to a customer's store credit. Returns it. Raises UnknownCustomer, NothingToMove."""
    return _change_credit(customer_id, Kind.ISSUE, amount, reason)


@transaction.atomic
def take_store_credit(*, customer_id: UUID, amount: Money, reason: str) -> StoredValue:
    """Take off a customer's store credit. Returns it.

    Raises UnknownCustomer, NothingToMove, BalanceTooLow.
    """
    return _change_credit(customer_id, Kind.ADJUST, amount, reason)


def require_customer(customer_id: UUID) -> None:
    """Raises UnknownCustomer when there is no such customer."""
    if customer_id not in users.contacts_of(user_ids=[customer_id]):
        raise UnknownCustomer("There is no such customer.")


def gift_card_by_code(*, code: str) -> StoredValue:
    """Return the card with a code. Raises UnknownGiftCard."""
    card = StoredValue.objects.filter(code_hash=hash_of_code(code)).first()
    if card is None:
        raise UnknownGiftCard("There is no such gift card.")
    return card


def expire_gift_cards() -> bool:
    """Take what is left off a batch of cards whose time is over. Returns whether there may be more.

    A card that pays for an order at this moment is passed over.
    """
    with transaction.atomic():
        over = StoredValue.objects.filter(expires_at__lte=Now(), balance_minor__gt=0)
        cards = over.order_by("expires_at").select_for_update(skip_locked=True, no_key=True)[:BATCH]
        for card in (found := list(cards)):
            move_value(
                card,
                Kind.EXPIRE,
                -card.balance_minor,
                source_id=new_id(),
                against={LedgerAccount.BREAKAGE: -card.balance_minor},
            )
    return len(found) == BATCH


def new_code() -> str:
    """Return a code that nobody can guess, in groups that people can read out."""
    return "-".join(
        "".join(secrets.choice(LETTERS) for _ in range(LETTERS_A_GROUP)) for _ in range(GROUPS)
    )


def _change_credit(
    customer_id: UUID, kind: ValueMovement.Kind, amount: Money, reason: str
) -> StoredValue:
    if amount.minor <= 0:
        raise NothingToMove("Grant or take more than nothing.")
    require_customer(customer_id)
    account = store_credit_of(customer_id, amount.currency)
    minor = amount.minor if kind == Kind.ISSUE else -amount.minor
    if account.balance_minor + minor < 0:
        raise BalanceTooLow(
            "There is not so much store credit.",
            balance=Money(account.balance_minor, account.currency),
        )
    move_value(
        account,
        kind,
        minor,
        source_id=new_id(),
        against={LedgerAccount.GOODWILL: minor},
        reason=reason,
    )
    record(
        "orders.store_credit_changed",
        about=customer_id,
        after={"amount_minor": minor, "currency": amount.currency},
    )
    account.refresh_from_db()
    return account


def _told(card: StoredValue) -> dict[str, object]:
    return {"disabled": card.disabled_at is not None, "expires_at": card.expires_at}
