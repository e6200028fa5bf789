"""Moving an account to another e-mail address."""

from typing import cast
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.kernel.audit import record
from apps.kernel.mail import send
from apps.users.models import Confirmation, Session, User, normalised
from apps.users.services import attempts, confirmations, passwords, sessions


def request_email_change(*, user: User, email: str, current_password: str, ip: str | None) -> None:
    """Mail a link to the new address, and a word to the present one.

    Whether the new address is somebody's is told to its owner only. Raises passwords.WrongPassword,
    TooManyAttempts, TooManyMails.
    """
    email = normalised(email)
    passwords.prove(email=user.email, password=current_password, encoded=user.password, ip=ip)
    attempts.count_mail(email=email, ip=ip)
    with transaction.atomic():
        still = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
        if still.select_for_update(no_key=True).first() is None:  # somebody else was faster
            raise passwords.WrongPassword("The current password is another one.")
        link = confirmations.issue(Confirmation.Purpose.CHANGE_EMAIL, email=email, user_id=user.pk)
        if User.objects.filter(email=email).exists():
            send("account_exists", to=email)
        else:
            confirmations.mail("confirm_email", to=email, link=link)
        send("email_change_requested", to=user.email)


def confirm_email_change(*, token: str) -> None:
    """Move the account to the address that the token was mailed to, and end its sessions.

    Raises InvalidConfirmation, also when the address has become somebody else's meanwhile.
    """
    try:
        with transaction.atomic():
            # The account first, as whoever voids its tokens locks it.
            asked = confirmations.look_up(Confirmation.Purpose.CHANGE_EMAIL, token=token)
            user = User.objects.select_for_update().filter(pk=cast("UUID", asked.user_id)).first()
            confirmed = confirmations.use(Confirmation.Purpose.CHANGE_EMAIL, token=token)
            if user is None or not user.is_active:
                raise confirmations.invalid()
            User.objects.filter(pk=user.pk).update(email=confirmed.email, version=F("version") + 1)
            sessions.end_all(user_id=user.pk, reason=Session.End.EMAIL_CHANGED)
            confirmations.void(user_id=user.pk)
            record("users.email_changed", about=user.pk, by=user.pk)
            send("email_changed", to=user.email)
    except IntegrityError as error:
        if "user_email_is_unique" not in str(error):
            raise
        raise confirmations.invalid() from error
