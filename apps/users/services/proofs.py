"""Everything by which somebody proves more than they have at the login."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.kernel.audit import record
from apps.kernel.errors import Invalid, Unproven
from apps.users.models import MOST_TRIES, LoginChallenge, Session, User
from apps.users.selectors.second_factors import person_challenged
from apps.users.services import attempts, challenges, codes, second_factors, sessions

OVER = "Log in again: this challenge is over."


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
    hash_of, person, counted = _tried(challenge, ip)
    if not codes.spend(user_id=person.pk, code=code):
        raise InvalidCode("This code is not right, or was used before.")
    with transaction.atomic():
        return _open(
            challenge=hash_of,
            person=person,
            counted=counted,
            ip=ip,
            user_agent=user_agent,
            lifetime=lifetime,
        )


def answer_with_first_code(
    *, challenge: str, code: str, ip: str | None, user_agent: str, lifetime: timedelta
) -> tuple[sessions.OpenSession, list[str]]:
    """Turn on the second factor that somebody was made to set up, and open the session.

    Returns the recovery codes, too, once. Raises InvalidChallenge, WrongCode, NoSecondFactor,
    TooManyAttempts.
    """
    hash_of, person, counted = _tried(challenge, ip)
    with transaction.atomic():
        opened = _open(
            challenge=hash_of,
            person=person,
            counted=counted,
            ip=ip,
            user_agent=user_agent,
            lifetime=lifetime,
        )
        session = Session.objects.get(pk=opened.session_id)
        recovery_codes = second_factors.confirm(user_id=person.pk, code=code, session=session)
    return opened, recovery_codes


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
    with transaction.atomic():
        factor = {"second_factor": True} if person.has_second_factor else {}
        living = Session.objects.filter(pk=session.pk, revoked_at=None)
        living.update(proven_at=Now(), **factor)
        attempts.forgive(counted)
        record("users.stepped_up", about=session.pk)


def _tried(challenge: str, ip: str | None) -> tuple[bytes, User, list[str]]:
    """Count a try of a challenge before it is looked at; return whom it asks."""
    hash_of = challenges.hash_of(challenge)
    living = LoginChallenge.objects.filter(hash=hash_of, expires_at__gt=Now())
    tried = living.filter(tries__lt=MOST_TRIES).update(tries=F("tries") + 1)
    person = person_challenged(challenge=hash_of) if tried else None
    if person is None:
        raise InvalidChallenge(OVER)
    return hash_of, person, attempts.count_attempt(email=person.email, ip=ip)


def _open(
    *,
    challenge: bytes,
    person: User,
    counted: list[str],
    ip: str | None,
    user_agent: str,
    lifetime: timedelta | None,
) -> sessions.OpenSession:
    opened = sessions.open_session(
        user_id=person.pk,
        challenge=challenge,
        counted=counted,
        ip=ip,
        user_agent=user_agent,
        lifetime=lifetime,
    )
    if opened is None:
        raise InvalidChallenge(OVER)
    record("users.entered_by_code", about=opened.session_id, by=person.pk)
    return opened
