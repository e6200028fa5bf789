"""Erasing a person: the account is closed first, and deleted once nothing uses it any more."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.kernel.audit import record
from apps.kernel.privacy import Person, Traces, erase_from
from apps.users.models import Session, User
from apps.users.personal_data import TABLES
from apps.users.services import sessions
from apps.users.services.accounts import StaffAccount


def require_erasable(*, user_id: UUID) -> None:
    """Raises StaffAccount for somebody with rights in the back office."""
    if User.objects.filter(pk=user_id, is_staff=True).exists():
        raise StaffAccount("Take the rights in the back office first.")


@transaction.atomic
def close_account(*, user_id: UUID) -> None:
    """Switch the account off for good and end its sessions. Raises StaffAccount."""
    User.objects.filter(pk=user_id, is_staff=False).update(
        is_active=False, version=F("version") + 1
    )
    require_erasable(user_id=user_id)
    sessions.end_all(user_id=user_id, reason=Session.End.DEACTIVATED)
    record("users.account_closed", about=user_id)


def traces_of(*, person: Person) -> Traces:
    """Return the account's ids and address, and the ids of its sessions."""
    if person.user_id is None:
        return Traces(words=person.emails)
    emails = User.objects.filter(pk=person.user_id).values_list("email", flat=True)
    mine = Session.objects.filter(user=person.user_id).values_list("pk", flat=True)
    return Traces(
        frozenset({person.user_id, *mine}),
        frozenset({str(person.user_id), *emails, *person.emails}),
    )


@transaction.atomic
def erase(*, person: Person) -> int:
    """Delete the account and all that hangs on it. Returns how many rows were touched."""
    return erase_from(TABLES, person=person)
