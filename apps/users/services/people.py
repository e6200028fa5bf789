"""What staff change about people: whether their account is on. Roles are given in `roles.py`."""

from uuid import UUID

from django.db import transaction

from apps.kernel.audit import record
from apps.users.models import Session, User
from apps.users.services import sessions
from apps.users.services.roles import Granter, one_administrator_stays, person_for_change


@transaction.atomic
def set_active(
    *, by: Granter, user_id: UUID, active: bool, expected_version: int | None = None
) -> User:
    """Switch an account on or off; off ends its sessions.

    Raises UnknownPerson, VersionMismatch, BeyondYourRights, LastAdministrator.
    """
    person = person_for_change(by=by, user_id=user_id, expected_version=expected_version)
    if person.is_active == active:
        return person
    person.is_active = active
    person.version += 1
    with one_administrator_stays():
        person.save(update_fields=["is_active", "version"])
    if not active:
        sessions.end_all(user_id=person.pk, reason=Session.End.DEACTIVATED)
    record("users.account_activated" if active else "users.account_deactivated", about=person.pk)
    return person
