"""What other apps may know about people, and ask.

Nothing here returns a model or a queryset: callers get facts, not handles.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from apps.kernel.privacy import Column, Person, Records, columns_of, records_of
from apps.users.models import CustomerGroup, User, normalised
from apps.users.personal_data import TABLES
from apps.users.selectors.figures import open_work
from apps.users.selectors.people import staff_given
from apps.users.services import attempts
from apps.users.services.accounts import StaffAccount
from apps.users.services.avatars import documents_of
from apps.users.services.erasure import (
    close_account,
    erase,
    require_erasable,
    traces_of,
)
from apps.users.services.guesses import guess
from apps.users.services.sessions import end_all_after_restore

__all__ = [
    "Contact",
    "StaffAccount",
    "close_account",
    "contacts_of",
    "contacts_with",
    "count_mail",
    "documents_of",
    "end_all_after_restore",
    "erase",
    "groups_among",
    "groups_of",
    "guess",
    "ids_by_email",
    "open_work",
    "personal_columns",
    "personal_data_of",
    "require_erasable",
    "traces_of",
]


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach and address a person at this moment."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str


def contacts_of(*, user_ids: Iterable[UUID]) -> dict[UUID, Contact]:
    """Return the contacts of these people by id; unknown ids are left out. One statement."""
    rows = User.objects.filter(pk__in=list(user_ids)).values_list(
        "id", "email", "first_name", "last_name"
    )
    return {row[0]: Contact(*row) for row in rows}


def count_mail(*, email: str, ip: str | None) -> None:
    """Count a mail that somebody asks for, by address and by network, before it is sent.

    Raises TooManyMails with `retry_after`, whosever the address is.
    """
    attempts.count_mail(email=normalised(email), ip=ip)


def contacts_with(*, permission: str) -> tuple[Contact, ...]:
    """Return the active staff who were given `app.permission`, mostly by a role. One statement."""
    rows = staff_given(permission=permission).values_list("id", "email", "first_name", "last_name")
    return tuple(Contact(*row) for row in rows)


def ids_by_email(*, emails: Iterable[str]) -> dict[str, UUID]:
    """Return the accounts that have these addresses; the others are left out. One statement."""
    chosen = [normalised(email) for email in emails]
    return dict(User.objects.filter(email__in=chosen).values_list("email", "id"))


def groups_among(*, group_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return the customer groups among these ids. One statement."""
    groups = CustomerGroup.objects.filter(pk__in=list(group_ids))
    return frozenset(groups.values_list("id", flat=True))


def groups_of(*, user_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the customer groups of these people; who is in none is left out. One statement."""
    grouped = User.objects.filter(pk__in=list(user_ids), customer_group__isnull=False)
    return dict(grouped.values_list("id", "customer_group_id"))


def personal_columns() -> tuple[Column, ...]:
    """Return what each column of the app's tables tells of people."""
    return columns_of(TABLES)


def personal_data_of(*, person: Person) -> tuple[Records, ...]:
    """Return all that the app keeps of a person, but for what is withheld."""
    return records_of(TABLES, person=person)
