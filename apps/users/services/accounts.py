"""Everything that changes an account."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import F

from apps.kernel.audit import record
from apps.kernel.errors import Conflict
from apps.users.models import Session, User, normalised
from apps.users.services import sessions


class EmailTaken(Conflict):
    """There is an account with this e-mail address."""

    code = "email_taken"


def register(*, email: str, password: str, first_name: str = "", last_name: str = "") -> User:
    """Create an account for a customer. The password has passed the validators.

    Raises EmailTaken, however many register the address at the same moment.
    """
    user = User(
        email=normalised(email),
        password=make_password(password),
        first_name=first_name,
        last_name=last_name,
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        if "user_email_is_unique" not in str(error):
            raise
        raise EmailTaken("There is an account with this e-mail address.") from error
    return user


@transaction.atomic
def change_password(*, user_id: UUID, password: str) -> None:
    """Set a password that has passed the validators, and end every session of the account."""
    User.objects.filter(pk=user_id).update(
        password=make_password(password), version=F("version") + 1
    )
    sessions.end_all(user_id=user_id, reason=Session.End.PASSWORD_CHANGED)
    record("users.password_changed", about=user_id)


@transaction.atomic
def ensure_admin(*, email: str, password: str, reset: bool) -> str:
    """See to it that a superuser has this address. Returns "created", "reset" or "unchanged".

    An account that exists is touched only with `reset`: then it gets the password and all rights,
    and its sessions end.
    """
    user = User.objects.select_for_update().filter(email=normalised(email)).first()
    if user is None:
        User.objects.create_superuser(email, password)
        return "created"
    if not reset:
        return "unchanged"
    change_password(user_id=user.pk, password=password)
    User.objects.filter(pk=user.pk).update(is_active=True, is_staff=True, is_superuser=True)
    return "reset"
