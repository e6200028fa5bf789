"""Everything that proves, changes or resets a password."""

from typing import cast
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F, QuerySet

from apps.kernel.audit import record
from apps.kernel.errors import Invalid
from apps.kernel.ids import new_id
from apps.kernel.mail import send
from apps.users.models import Confirmation, Session, User, normalised
from apps.users.services import attempts, confirmations, sessions


class WrongPassword(Invalid):
    """The current password is another one."""

    code = "wrong_password"


def prove(*, email: str, password: str, encoded: str, ip: str | None) -> None:
    """See to it that somebody knows a password; wrong ones count as failed logins of the address.

    Raises WrongPassword, TooManyAttempts.
    """
    counted = attempts.count_attempt(email=email, ip=ip)
    if not check_password(password, encoded):
        raise WrongPassword("The current password is another one.")
    attempts.forgive(counted)


def change_own_password(
    *, user: User, session: Session, current_password: str, password: str, ip: str | None
) -> None:
    """Change a person's password; their other sessions end, the present one goes on.

    The new one has passed the validators. Raises WrongPassword, TooManyAttempts.
    """
    prove(email=user.email, password=current_password, encoded=user.password, ip=ip)
    still = User.objects.filter(pk=user.pk, password=user.password)
    changed = _set_password(still, encoded=make_password(password), keep=session)
    if not changed:  # somebody else was faster
        raise WrongPassword("The current password is another one.")


def change_password(*, user_id: UUID, password: str | None) -> None:
    """Set a password that has passed the validators, and end every session of the account.

    None is a password that nobody can type.
    """
    _set_password(User.objects.filter(pk=user_id), encoded=make_password(password))


@transaction.atomic
def request_password_reset(*, email: str, ip: str | None) -> None:
    """Mail a link to set a new password, or that there is no account: a mail either way.

    Raises TooManyMails, whether there is one or not.
    """
    email = normalised(email)
    attempts.count_mail(email=email, ip=ip)
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        confirmations.void(user_id=new_id())  # nobody's: a statement as for a known address
        send("no_account", to=email)
        return
    reset = Confirmation.Purpose.RESET_PASSWORD
    link = confirmations.issue(reset, email=email, user_id=user.pk)
    confirmations.mail("reset_password", to=email, link=link)


def whose_password(*, token: str) -> User | None:
    """Return whose password a token resets. Raises InvalidConfirmation."""
    return confirmations.look_up(Confirmation.Purpose.RESET_PASSWORD, token=token).user


def reset_password(*, token: str, password: str) -> None:
    """Set a password that has passed the validators. It opens no session: people log in with it.

    Raises InvalidConfirmation.
    """
    encoded = make_password(password)
    with transaction.atomic():
        # The account first, as whoever voids its tokens locks it.
        asked = confirmations.look_up(Confirmation.Purpose.RESET_PASSWORD, token=token)
        User.objects.select_for_update().filter(pk=cast("UUID", asked.user_id)).first()
        confirmed = confirmations.use(Confirmation.Purpose.RESET_PASSWORD, token=token)
        still = User.objects.filter(
            pk=cast("UUID", confirmed.user_id), email=confirmed.email, is_active=True
        )
        changed = _set_password(still, encoded=encoded)
        if not changed:
            raise confirmations.invalid()


@transaction.atomic
def _set_password(account: QuerySet[User], *, encoded: str, keep: Session | None = None) -> bool:
    """Store a hash, end the other sessions, void what was mailed before, and tell the person.

    Returns False when there is no such account.
    """
    user = account.select_for_update().first()
    if user is None:
        return False
    User.objects.filter(pk=user.pk).update(password=encoded, version=F("version") + 1)
    sessions.end_others(user_id=user.pk, but=keep, reason=Session.End.PASSWORD_CHANGED)
    confirmations.void(user_id=user.pk)
    record("users.password_changed", about=user.pk)
    send("password_changed", to=user.email)
    return True
