"""Everything that people change about themselves."""

from uuid import UUID

from django.db import transaction

from apps.kernel.audit import record
from apps.kernel.errors import NotFound, VersionMismatch
from apps.users.models import User


@transaction.atomic
def change_profile(*, user_id: UUID, expected_version: int | None, **details: str) -> User:
    """Set what is given of first_name, last_name, phone and locale.

    Raises NotFound; VersionMismatch when `expected_version` is given and no longer the newest.
    """
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such account.")
    if expected_version not in {None, user.version}:
        raise VersionMismatch("Your profile was changed in the meantime.")
    for name, value in details.items():
        setattr(user, name, value)
    user.version += 1
    user.save(update_fields=[*details, "version"])
    record("users.profile_changed", about=user.pk, after={"fields": sorted(details)})
    return user
