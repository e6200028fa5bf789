"""Everything that changes an account."""

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import F

from apps.kernel.audit import record
from apps.kernel.errors import Conflict
from apps.kernel.mail import send
from apps.users.models import Confirmation, Session, User, normalised
from apps.users.services import attempts, confirmations, passwords, sessions


class StaffAccount(Conflict):
    """An account with rights in the back office is closed there."""

    code = "staff_account"


def register(
    *, email: str, password: str, first_name: str = "", last_name: str = "", ip: str | None
) -> None:
    """Mail whoever owns the address how to open an account, or that there is one already.

    The answer, and the work, are the same for both. The password has passed the validators. Raises
    TooManyMails.
    """
    email = normalised(email)
    attempts.count_mail(email=email, ip=ip)
    encoded = make_password(password)
    with transaction.atomic():
        # For a known address, too, so that both take equally long; nobody gets to see that token.
        link = confirmations.issue(
            Confirmation.Purpose.REGISTER,
            email=email,
            password=encoded,
            first_name=first_name,
            last_name=last_name,
        )
        if User.objects.filter(email=email).exists():
            send("account_exists", to=email)
        else:
            confirmations.mail("confirm_registration", to=email, link=link)


def open_account(*, token: str, password: str, ip: str | None) -> User:
    """Open the account of a registration, for whoever has both its mail and its password.

    So nobody can have an account opened by the owner of an address under a password of their own.
    Raises InvalidConfirmation, passwords.WrongPassword, TooManyAttempts.
    """
    asked = confirmations.look_up(Confirmation.Purpose.REGISTER, token=token)
    passwords.prove(email=asked.email, password=password, encoded=asked.password, ip=ip)
    try:
        with transaction.atomic():
            asked = confirmations.use(Confirmation.Purpose.REGISTER, token=token)
            user = User(
                email=asked.email,
                password=asked.password,
                first_name=asked.first_name,
                last_name=asked.last_name,
            )
            user.save(force_insert=True)
            record("users.account_opened", about=user.pk, by=user.pk)
    except IntegrityError as error:
        if "user_email_is_unique" not in str(error):
            raise
        raise confirmations.invalid() from error
    return user


def deactivate(*, user: User, current_password: str, ip: str | None) -> None:
    """Switch a person's own account off and end its sessions. Staff can switch it on again.

    Raises passwords.WrongPassword, TooManyAttempts, StaffAccount.
    """
    passwords.prove(email=user.email, password=current_password, encoded=user.password, ip=ip)
    with transaction.atomic():
        mine = User.objects.filter(pk=user.pk, is_staff=False)
        if not mine.update(is_active=False, version=F("version") + 1):
            raise StaffAccount("Another administrator closes an account of the back office.")
        sessions.end_all(user_id=user.pk, reason=Session.End.DEACTIVATED)
        confirmations.void(user_id=user.pk)
        record("users.account_deactivated", about=user.pk)
        send("account_closed", to=user.email)


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
    passwords.change_password(user_id=user.pk, password=password)
    User.objects.filter(pk=user.pk).update(is_active=True, is_staff=True, is_superuser=True)
    return "reset"
