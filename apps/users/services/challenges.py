"""Logins half-way: a right password was there, a code has to follow."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from apps.users.models import User
from apps.users.services import attempts

LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a right password opens where a second factor is on: the question for a code of it."""

    token: str
    has_second_factor: bool


def issue(*, user: User, counted: list[str]) -> Challenge | None:
    """Ask for a code. None when the account was disabled or got another password meanwhile.

    The login is taken back from network and store; for its account it stays counted until the
    code has come, so that a known password gives no more guesses than an unknown one.
    """
    token = secrets.token_urlsafe(32)
    account = counted[1]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH opened AS (
                INSERT INTO users_loginchallenge (hash, user_id, expires_at)
                SELECT %(hash)s, id,
                    statement_timestamp() + make_interval(secs => %(lifetime)s)
                FROM users_user
                WHERE id = %(user)s AND is_active AND password = %(password)s
                FOR SHARE  -- a change of the password that is under way comes first
                RETURNING user_id
            ),
            {attempts.FORGIVEN}
            SELECT user_id FROM opened
            """,  # noqa: S608 - the one inserted part is a constant
            {
                "hash": hash_of(token),
                "lifetime": LIFETIME.total_seconds(),
                "user": user.pk,
                "password": user.password,
                "counted": [key for key in counted if key != account],
                "account": account,
            },
        )
        if cursor.fetchone() is None:
            return None
    return Challenge(token=token, has_second_factor=user.has_second_factor)


def hash_of(token: str) -> bytes:
    """Return what is stored of a challenge."""
    return hashlib.sha256(token.encode()).digest()
