"""Everything by which somebody proves more than they have at the login."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.kernel.audit import record
from apps.kernel.errors import Invalid, Unproven
from apps.users.models import MOST_TRIES, LoginChallenge, Session, User
from apps.users.services import attempts, challenges, codes, sessions


class InvalidChallenge(Unproven):
    """The challenge is unknown, was used or tried too often, or its five minutes are over."""

    code = "invalid_challenge"


class InvalidCode(Unproven):
    """The code is not the person's, or was used before."""

    code = "invalid_code"


class WrongProof(Invalid):
    """Neither password nor code are the person's; with a second factor, only a code counts."""

    code = "wrong_proof"


def answer_challenge(
    *, challenge: str, code: str, ip: str | None, user_agent: str, lifetime: timedelta | None = None
) -> sessions.OpenSession:
    """Open the session that a right password has asked for, by a code of the second factor.

    A challenge bears five tries, however many come at once, and each counts as a login of the
    account. Raises InvalidChallenge, InvalidCode, TooManyAttempts.
    """
    over = InvalidChallenge("Log in again: this challenge is over.")
    hash_of = challenges.hash_of(challenge)
    living = LoginChallenge.objects.filter(hash=hash_of, expires_at__gt=Now())
    if not living.filter(tries__lt=MOST_TRIES).update(tries=F("tries") + 1):
        raise over
    person = User.objects.filter(login_challenges__hash=hash_of).first()
    if person is None:
        raise over
    counted = attempts.count_attempt(email=person.email, ip=ip)
    if not codes.spend(user_id=person.pk, code=code):
        raise InvalidCode("This code is not right, or was used before.")
    opened = sessions.open_session(
        user_id=person.pk,
        challenge=hash_of,
        counted=counted,
        ip=ip,
        user_agent=user_agent,
        lifetime=lifetime,
    )
    if opened is None:
        raise over
    return opened


def step_up(*, session: Session, password: str, code: str, ip: str | None) -> None:
    """Let what is dangerous be done in this session for a while: its person is still the one.

    Who has a second factor shows a code of it; a password alone is not enough. Each try counts as
    a login of the account. Raises WrongProof, TooManyAttempts.
    """
    person = session.user
    counted = attempts.count_attempt(email=person.email, ip=ip)
    if person.has_second_factor:
        proven = bool(code) and codes.spend(user_id=person.pk, code=code)
    else:
        proven = bool(password) and person.check_password(password)
    if not proven:
        raise WrongProof("This does not prove who you are.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH opened AS (
                UPDATE users_session
                SET proven_at = statement_timestamp(), second_factor = second_factor OR %(factor)s
                WHERE id = %(session)s AND revoked_at IS NULL
                RETURNING id
            ),
            {attempts.FORGIVEN}
            SELECT id FROM opened
            """,  # noqa: S608 - the inserted part is a constant
            {
                "factor": person.has_second_factor,
                "session": session.pk,
                "counted": counted,
                "account": counted[1],
            },
        )
        record("users.stepped_up", about=session.pk)
