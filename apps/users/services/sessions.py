"""Everything that opens, prolongs or ends a session."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.sessions.models import Session as StaffSession
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from apps.kernel.audit import record
from apps.kernel.errors import NotFound, Unproven
from apps.kernel.events import Event, publish
from apps.kernel.ids import new_id
from apps.kernel.mail import send
from apps.users.models import LoginChallenge, RefreshToken, Session, User, normalised
from apps.users.selectors.sessions import living_sessions_of
from apps.users.services import attempts, challenges

# Whoever did not get the answer, or asked twice at once, may ask again this long.
GRACE = timedelta(seconds=10)


class InvalidCredentials(Unproven):
    """E-mail address and password do not belong to an account that may log in."""

    code = "invalid_credentials"


class InvalidRefreshToken(Unproven):
    """The refresh token is unknown, was used, or its session has ended."""

    code = "invalid_refresh_token"


class UnknownSession(NotFound):
    """There is no such living session, or it is somebody else's."""

    code = "unknown_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReuseDetected(Event):
    """A refresh token came again after its time: somebody else may hold it. The session ended."""

    name: ClassVar[str] = "users.session_reuse_detected"

    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A living session and the refresh token that prolongs it next."""

    user_id: UUID
    session_id: UUID
    refresh_token: str


def log_in(
    *, email: str, password: str, ip: str | None, user_agent: str
) -> OpenSession | challenges.Challenge:
    """Open a session, or ask whoever has a second factor for a code of it.

    Costs two statements, and one more when an old hash is renewed.

    Raises InvalidCredentials, by the same work whether or not there is such an account;
    TooManyAttempts.
    """
    user, counted = _recognised(email=email, password=password, ip=ip)
    if user.has_second_factor:
        return _challenge(user, counted)
    opened = open_session(
        user_id=user.pk,
        password=user.password,
        counted=counted,
        ip=ip,
        user_agent=user_agent,
    )
    if opened is None:
        raise InvalidCredentials("E-mail address or password is wrong.")
    return opened


def challenge_staff(*, email: str, password: str, ip: str | None) -> challenges.Challenge:
    """Ask staff for a code of their second factor, or for their first one.

    Raises InvalidCredentials, also for whoever is no staff; TooManyAttempts.
    """
    user, counted = _recognised(email=email, password=password, ip=ip)
    if not user.is_staff:
        raise InvalidCredentials("E-mail address or password is wrong.")
    return _challenge(user, counted)


def _recognised(*, email: str, password: str, ip: str | None) -> tuple[User, list[str]]:
    """Return whose password this is, and where the attempt was counted."""
    email = normalised(email)
    user, counted = attempts.count_login(email=email, ip=ip)

    def renew_hash(raw_password: str) -> None:
        if user is None:
            return
        weak, user.password = user.password, make_password(raw_password)
        User.objects.filter(pk=user.pk, password=weak).update(password=user.password)

    # A hash that nothing matches costs Django as much work as a real one.
    stored = user.password if user else "!"
    proven = check_password(password, stored, setter=renew_hash)
    if not (user and proven and user.is_active):
        raise InvalidCredentials("E-mail address or password is wrong.")
    return user, counted


def _challenge(user: User, counted: list[str]) -> challenges.Challenge:
    challenge = challenges.issue(user=user, counted=counted)
    if challenge is None:
        raise InvalidCredentials("E-mail address or password is wrong.")
    return challenge


def open_session(
    *,
    user_id: UUID,
    password: str = "",
    challenge: bytes = b"",
    counted: list[str],
    ip: str | None,
    user_agent: str,
    lifetime: timedelta | None = None,
) -> OpenSession | None:
    """Open a session by the stored password, or by a challenge whose code was right. One statement.

    Returns None when the account was disabled meanwhile, got another password or a second factor,
    or when the challenge is over.
    """
    session_id, token = new_id(), _encoded(secrets.token_bytes(32))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH spent AS (
                DELETE FROM users_loginchallenge
                WHERE hash = %(challenge)s AND user_id = %(user)s
                    AND expires_at > statement_timestamp()
                RETURNING user_id
            ),
            person AS (
                UPDATE users_user SET last_login = statement_timestamp()
                WHERE id = %(user)s AND is_active AND (
                    EXISTS (SELECT FROM spent)
                    OR password = %(password)s AND NOT has_second_factor
                )
                RETURNING id
            ),
            opened AS (
                INSERT INTO users_session (
                    id, user_id, expires_at, revoked_reason, user_agent, ip, second_factor
                )
                SELECT %(session)s, id,
                    statement_timestamp() + make_interval(secs => %(lifetime)s), '',
                    %(user_agent)s, %(ip)s::inet, EXISTS (SELECT FROM spent)
                FROM person
                RETURNING id, expires_at
            ),
            first AS (
                INSERT INTO users_refreshtoken (hash, session_id, expires_at)
                SELECT %(hash)s, id,
                    least(statement_timestamp() + make_interval(secs => %(idle)s), expires_at)
                FROM opened
            ),
            {attempts.FORGIVEN}
            SELECT id FROM opened
            """,  # noqa: S608 - the one inserted part is a constant
            {
                "user": user_id,
                "password": password,
                "challenge": challenge,
                "session": session_id,
                "lifetime": (lifetime or settings.SESSION_LIFETIME).total_seconds(),
                "idle": settings.SESSION_IDLE_LIFETIME.total_seconds(),
                "user_agent": user_agent.replace("\0", "")[:300],
                "ip": ip,
                "hash": _hash(token),
                "counted": counted,
                "account": counted[1],
            },
        )
        if cursor.fetchone() is None:
            return None
    return OpenSession(user_id=user_id, session_id=session_id, refresh_token=token)


def rotate(*, refresh_token: str) -> OpenSession:
    """Trade a refresh token for its one successor. Costs one statement.

    Whoever brings the same token again within GRACE gets the same successor; later, the whole
    session ends and SessionReuseDetected is published. Raises InvalidRefreshToken.
    """
    successor = _successors_of(refresh_token)[0]
    with connection.cursor() as cursor:
        # The row lock of the first UPDATE decides who of several wins.
        cursor.execute(
            """
            WITH used AS (
                UPDATE users_refreshtoken AS token SET used_at = statement_timestamp()
                FROM users_session AS session JOIN users_user AS person
                    ON person.id = session.user_id
                WHERE token.hash = %(hash)s AND token.used_at IS NULL
                    AND token.expires_at > statement_timestamp()
                    AND session.id = token.session_id AND session.revoked_at IS NULL
                    AND session.expires_at > statement_timestamp() AND person.is_active
                RETURNING token.hash, session.id AS session_id, session.user_id,
                    least(
                        statement_timestamp() + make_interval(secs => %(idle)s),
                        session.expires_at
                    ) AS expires_at
            ),
            next AS (
                INSERT INTO users_refreshtoken (hash, session_id, parent_id, expires_at)
                SELECT %(successor)s, session_id, hash, expires_at FROM used
            ),
            touched AS (
                UPDATE users_session SET last_used_at = statement_timestamp()
                FROM used WHERE id = used.session_id
            )
            SELECT user_id, session_id FROM used
            """,
            {
                "hash": _hash(refresh_token),
                "successor": _hash(successor),
                "idle": settings.SESSION_IDLE_LIFETIME.total_seconds(),
            },
        )
        won = cursor.fetchone()
    if won is None:
        return _answer_again(refresh_token)
    user_id, session_id = won
    return OpenSession(user_id=user_id, session_id=session_id, refresh_token=successor)


def log_out(*, session: Session, refresh_token: str | None = None) -> None:
    """End the session, and that of the refresh token if it is another one of the same person."""
    ending = Q(pk=session.pk)
    if refresh_token is not None:
        ending |= Q(user=session.user_id, refresh_tokens__hash=_hash(refresh_token))
    _end(Session.objects.filter(ending).values_list("pk", flat=True), reason=Session.End.LOGGED_OUT)


@transaction.atomic
def end_own(*, user_id: UUID, session_id: UUID) -> None:
    """End one session of a person, whichever device it is on. Raises UnknownSession."""
    mine = living_sessions_of(user_id=user_id).filter(pk=session_id)
    if not _end(mine.values_list("pk", flat=True), reason=Session.End.LOGGED_OUT):
        raise UnknownSession("There is no such session.")
    record("users.session_ended", about=session_id)


@transaction.atomic
def end_all(*, user_id: UUID, reason: Session.End) -> int:
    """End every session of a person, and every login half-way. Returns how many were alive."""
    record("users.sessions_ended", about=user_id, after={"reason": reason})
    LoginChallenge.objects.filter(user=user_id).delete()
    return _end(Session.objects.filter(user=user_id).values_list("pk", flat=True), reason=reason)


@transaction.atomic
def end_others(*, user_id: UUID, but: Session | None, reason: Session.End) -> int:
    """End every session of a person but one, and logins half-way. Returns how many were alive."""
    LoginChallenge.objects.filter(user=user_id).delete()
    own = Session.objects.filter(user=user_id)
    others = own.exclude(pk=but.pk) if but else own
    return _end(others.values_list("pk", flat=True), reason=reason)


@transaction.atomic
def end_these(*, session_ids: Iterable[UUID], reason: Session.End) -> int:
    """End these sessions. Returns how many were alive."""
    chosen = list(session_ids)
    for session_id in chosen:
        record("users.session_ended", about=session_id, after={"reason": reason})
    return _end(chosen, reason=reason)


@transaction.atomic
def end_all_after_restore() -> int:
    """End every session of everybody, also of staff. Returns how many were alive.

    Which sessions ended in the time that was lost, and why, is not known any more.
    """
    StaffSession.objects.all().delete()
    return _end(Session.objects.values_list("pk", flat=True), reason=Session.End.DATABASE_RESTORED)


@transaction.atomic
def warn_of_reuse(*, user_id: UUID) -> None:
    """Write to a person that one of their sessions ended because a used token came again."""
    for email in User.objects.filter(pk=user_id).values_list("email", flat=True):
        send("session_reuse", to=email)


def forget_ended_sessions() -> int:
    """Delete what is over: challenges, and sessions that ended by themselves 30 days ago.

    Returns how many sessions.
    """
    LoginChallenge.objects.filter(expires_at__lt=Now()).delete()
    old = Session.objects.filter(expires_at__lt=Now() - timedelta(days=30))
    _, deleted = old.delete()
    return deleted.get("users.Session", 0)


def _end(session_ids: Iterable[UUID], *, reason: Session.End) -> int:
    return Session.objects.filter(pk__in=session_ids, revoked_at=None).update(
        revoked_at=Now(), revoked_reason=reason
    )


def _answer_again(refresh_token: str) -> OpenSession:
    """Answer whoever did not win: with the winner's successor, or by ending the session."""
    refusal = InvalidRefreshToken("The refresh token is not valid. Log in again.")
    token = (
        RefreshToken.objects.filter(
            hash=_hash(refresh_token),
            used_at__isnull=False,
            session__revoked_at=None,
            session__expires_at__gt=Now(),
            session__user__is_active=True,
        )
        .annotate(in_time=Q(used_at__gt=Now() - GRACE))
        .values_list("session_id", "session__user_id", "in_time")
        .first()
    )
    if token is None:
        raise refusal
    session_id, user_id, in_time = token
    if in_time:
        # A secret key that was replaced a moment ago has made another successor.
        for successor in _successors_of(refresh_token):
            if RefreshToken.objects.filter(hash=_hash(successor)).exists():
                return OpenSession(user_id=user_id, session_id=session_id, refresh_token=successor)
        raise refusal
    with transaction.atomic():
        if _end([session_id], reason=Session.End.TOKEN_REUSED):
            event = SessionReuseDetected(session_id=session_id, user_id=user_id)
            publish(event, aggregate_id=session_id)
    raise refusal


def _successors_of(refresh_token: str) -> list[str]:
    """Return what follows a token: derived, so that it can be told again without being stored.

    The first one is made with the present key, the others with the keys before it.
    """
    return [
        _encoded(
            salted_hmac("users.refresh", refresh_token, secret=key, algorithm="sha256").digest()
        )
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _encoded(token: bytes) -> str:
    return urlsafe_b64encode(token).decode().rstrip("=")
