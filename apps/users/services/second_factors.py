"""Everything that gives somebody a second factor, or takes it away."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import pyotp
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.kernel.audit import record
from apps.kernel.encryption import NotDecryptable, decrypted, encrypted, reencrypted
from apps.kernel.errors import Conflict, Invalid
from apps.users.models import LoginChallenge, RecoveryCode, SecondFactor, Session, User
from apps.users.services import codes, sessions


class SecondFactorIsOn(Conflict):
    """The account has a second factor already."""

    code = "second_factor_is_on"


class NoSecondFactor(Conflict):
    """The account has no second factor, or none that waits to be confirmed."""

    code = "no_second_factor"


class WrongCode(Invalid):
    """The code is not the one that the app shows now."""

    code = "wrong_code"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs to know, in text and as `otpauth://` for a QR code."""

    secret: str
    uri: str


def begin(*, user_id: UUID, email: str) -> Enrolment:
    """Make a secret for the app. It counts for nothing until a code of it has come.

    A secret that waits for its first code is replaced, because somebody else may have seen it.
    Raises SecondFactorIsOn.
    """
    secret = pyotp.random_base32()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO users_secondfactor AS factor (user_id, secret) VALUES (%s, %s)
            ON CONFLICT (user_id) DO UPDATE
                SET secret = excluded.secret, created_at = excluded.created_at
                WHERE factor.confirmed_at IS NULL
            """,
            [user_id, encrypted(secret.encode())],
        )
        if not cursor.rowcount:
            raise SecondFactorIsOn("The account has a second factor already.")
    store = urlsplit(settings.PUBLIC_URL).hostname
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=store)
    return Enrolment(secret=secret, uri=uri)


@transaction.atomic
def confirm(*, user_id: UUID, code: str, session: Session | None) -> list[str]:
    """Turn the second factor on with its first code. Returns the recovery codes, once.

    Every other session of the person ends; in `session` the factor counts as shown.
    Raises NoSecondFactor, WrongCode.
    """
    # First, so that a login by password alone waits for this, and then stays outside.
    User.objects.filter(pk=user_id).update(has_second_factor=True)
    factor = SecondFactor.objects.filter(user=user_id, confirmed_at=None).first()
    if factor is None:
        raise NoSecondFactor("There is no second factor that waits for its first code.")
    try:
        step = codes.step_of(decrypted(factor.secret), code.replace(" ", ""))
    except NotDecryptable as error:
        raise NoSecondFactor("Begin again: the secret can no longer be read.") from error
    waiting = SecondFactor.objects.filter(user=user_id, confirmed_at=None, secret=factor.secret)
    if step is None or not waiting.update(confirmed_at=Now(), last_step=step):
        raise WrongCode("This is not the code that the app shows now.")
    record("users.second_factor_set", about=user_id)
    sessions.end_others(user_id=user_id, but=session, reason=Session.End.FACTOR_CHANGED)
    if session is not None:
        Session.objects.filter(pk=session.pk).update(second_factor=True, proven_at=Now())
    return _renew_codes(user_id)


@transaction.atomic
def remove(*, user_id: UUID, session: Session | None) -> None:
    """Turn the second factor off, with its recovery codes. Every other session ends.

    Raises NoSecondFactor.
    """
    factor = SecondFactor.objects.filter(user=user_id, confirmed_at__isnull=False)
    if not factor.delete()[0]:
        raise NoSecondFactor("The account has no second factor.")
    User.objects.filter(pk=user_id).update(has_second_factor=False)
    RecoveryCode.objects.filter(user=user_id).delete()
    LoginChallenge.objects.filter(user=user_id).delete()
    record("users.second_factor_removed", about=user_id)
    sessions.end_others(user_id=user_id, but=session, reason=Session.End.FACTOR_CHANGED)
    if session is not None:
        Session.objects.filter(pk=session.pk).update(second_factor=False)


@transaction.atomic
def renew_recovery_codes(*, user_id: UUID) -> list[str]:
    """Replace all recovery codes. Returns the new ones, once. Raises NoSecondFactor."""
    # The row lock keeps two renewals from both leaving their codes.
    factor = SecondFactor.objects.select_for_update().filter(user=user_id)
    if not factor.filter(confirmed_at__isnull=False).exists():
        raise NoSecondFactor("The account has no second factor.")
    record("users.recovery_codes_renewed", about=user_id)
    return _renew_codes(user_id)


def reencrypt() -> tuple[int, int]:
    """Bring the secrets under the present SECRET_KEY. Returns how many are, and are not."""
    done = lost = 0
    for user_id, stored in SecondFactor.objects.values_list("user", "secret"):
        try:
            renewed = reencrypted(stored)
        except NotDecryptable:
            lost += 1
        else:
            SecondFactor.objects.filter(user=user_id, secret=stored).update(secret=renewed)
            done += 1
    return done, lost


def _renew_codes(user_id: UUID) -> list[str]:
    RecoveryCode.objects.filter(user=user_id).delete()
    fresh = codes.new_recovery_codes()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user_id=user_id, hash=codes.hash_of(code)) for code in fresh]
    )
    return fresh
