"""Tokens that are mailed, and prove that somebody reads the mails of an address."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from apps.kernel.errors import Invalid
from apps.kernel.mail import send
from apps.users.models import Confirmation

LIFETIME = timedelta(minutes=10)
# A registration replaces another one of its address; else one of the account does.
OF_AN_ADDRESS = "(email) WHERE purpose = 'register'"
OF_AN_ACCOUNT = "(user_id, purpose)"


class InvalidConfirmation(Invalid):
    """The token is unknown, was used or replaced, is too old, or what it is about has changed."""

    code = "invalid_confirmation"


def issue(
    purpose: Confirmation.Purpose,
    *,
    email: str,
    user_id: UUID | None = None,
    password: str = "",
    first_name: str = "",
    last_name: str = "",
) -> str:
    """Return a link with a new token; an older one is worth nothing now. `password` is a hash.

    The token stands behind the `#`, which browsers send to no server.
    """
    token = secrets.token_urlsafe(32)
    replaced = OF_AN_ACCOUNT if user_id else OF_AN_ADDRESS
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO users_confirmation
                (hash, purpose, user_id, email, password, first_name, last_name, expires_at)
            VALUES (%(hash)s, %(purpose)s, %(user)s, %(email)s, %(password)s, %(first_name)s,
                %(last_name)s, statement_timestamp() + make_interval(secs => %(lifetime)s))
            ON CONFLICT {replaced} DO UPDATE SET
                hash = excluded.hash, email = excluded.email, password = excluded.password,
                first_name = excluded.first_name, last_name = excluded.last_name,
                created_at = excluded.created_at, expires_at = excluded.expires_at
            """,  # noqa: S608 - the inserted part is a constant
            {
                "hash": _hash(token),
                "purpose": purpose,
                "user": user_id,
                "email": email,
                "password": password,
                "first_name": first_name,
                "last_name": last_name,
                "lifetime": LIFETIME.total_seconds(),
            },
        )
    return f"{settings.PUBLIC_URL}/account/confirm#{purpose}={token}"


def mail(template: str, *, to: str, link: str) -> None:
    """Mail a link, in the caller's transaction, as long as it is good."""
    send(template, to=to, context={"link": link}, useful_for=LIFETIME)


def look_up(purpose: Confirmation.Purpose, *, token: str) -> Confirmation:
    """Return what a living token is about, and leave it. Raises InvalidConfirmation."""
    living = Confirmation.objects.filter(
        hash=_hash(token), purpose=purpose, expires_at__gt=Now()
    ).select_related("user")
    confirmation = living.first()
    if confirmation is None:
        raise invalid()
    return confirmation


def use(purpose: Confirmation.Purpose, *, token: str) -> Confirmation:
    """Use a living token up: of several who come at once, one gets what it is about.

    Raises InvalidConfirmation.
    """
    used = Confirmation.objects.raw(
        """
        DELETE FROM users_confirmation
        WHERE hash = %s AND purpose = %s AND expires_at > statement_timestamp()
        RETURNING *
        """,
        [_hash(token), purpose],
    )
    confirmation = next(iter(used), None)
    if confirmation is None:
        raise invalid()
    return confirmation


def void(*, user_id: UUID) -> None:
    """Make every token of an account worth nothing."""
    Confirmation.objects.filter(user=user_id).delete()


def forget_old_confirmations() -> int:
    """Delete what nobody has confirmed in time. Returns how many."""
    return Confirmation.objects.filter(expires_at__lt=Now()).delete()[0]


def invalid() -> InvalidConfirmation:
    """Return the one refusal, whatever is wrong."""
    return InvalidConfirmation("This link is not valid any more. Ask for another one.")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
