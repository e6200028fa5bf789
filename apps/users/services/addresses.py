"""Everything that changes an address book. Who changes one locks the person's row first."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.errors import Conflict
from apps.users.models import Address, User
from apps.users.selectors.addresses import UnknownAddress, address_of, addresses_of

MOST = 50
DEFAULTS = ("default_shipping", "default_billing")


class AddressBookFull(Conflict):
    """The address book holds as many addresses as it may."""

    code = "address_book_full"


@transaction.atomic
def add_address(*, user_id: UUID, **details: Any) -> Address:
    """Keep an address. As a default it takes the place of the one before.

    Raises AddressBookFull, exactly, however many are added at the same moment.
    """
    _lock_book(user_id)
    if addresses_of(user_id=user_id).count() >= MOST:
        raise AddressBookFull(f"An address book holds at most {MOST} addresses.")
    _make_room(user_id, details)
    address = Address.objects.create(user_id=user_id, **details)
    return address_of(user_id=user_id, address_id=address.pk)


@transaction.atomic
def change_address(
    *, user_id: UUID, address_id: UUID, change: Callable[[Address], dict[str, Any]]
) -> Address:
    """Change an address. As a default it takes the place of the one before.

    `change` says what, of what is kept; until that is written, nobody else changes the address.
    Raises UnknownAddress, also for somebody else's, and what `change` raises.
    """
    _lock_book(user_id)
    mine = addresses_of(user_id=user_id).filter(pk=address_id)
    kept = mine.select_for_update(no_key=True).first()
    if kept is None:
        raise UnknownAddress("There is no such address in your book.")
    details = change(kept)
    _make_room(user_id, details)
    mine.update(**details, updated_at=Now())
    return mine.get()


def remove_address(*, user_id: UUID, address_id: UUID) -> None:
    """Take an address out of the book. Raises UnknownAddress, also for somebody else's."""
    removed, _ = addresses_of(user_id=user_id).filter(pk=address_id).delete()
    if not removed:
        raise UnknownAddress("There is no such address in your book.")


def _lock_book(user_id: UUID) -> None:
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=user_id)


def _make_room(user_id: UUID, details: dict[str, Any]) -> None:
    """Clear the defaults that an address is about to become."""
    for flag in DEFAULTS:
        if details.get(flag):
            addresses_of(user_id=user_id).filter(Q(**{flag: True})).update(**{flag: False})
