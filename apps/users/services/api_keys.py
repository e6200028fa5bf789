"""Everything that makes, finds, changes and ends the keys of programs."""

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unproven
from apps.users.models import ApiKey, KeyHolder
from apps.users.models.api_key import LONGEST_LIFE
from apps.users.selectors.roles import grantable
from apps.users.services.roles import Granter, UnknownPermission

PREFIX: Final = "eck_"
DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{43}})([0-9A-Za-z]{{6}})")
LONGEST_OVERLAP: Final = timedelta(days=7)


class UnknownApiKey(NotFound):
    """There is no such key, or it is somebody else's."""

    code = "unknown_api_key"


class InvalidApiKey(Unproven):
    """The key is unknown, revoked or expired, is not for your network, or its owner is gone."""

    code = "invalid_api_key"


class NotYourApiKey(Forbidden):
    """You may see this key, but its new secret would let you act for somebody else."""

    code = "not_your_api_key"


class ExpiryNotAllowed(Invalid):
    """A key ends in the future, within a year."""

    code = "expiry_not_allowed"


class RotationUnderWay(Conflict):
    """The secret before the last rotation is still good; a third one would cut it off."""

    code = "rotation_under_way"


class ApiKeyRevoked(Conflict):
    """The key was revoked or has expired."""

    code = "api_key_ended"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key, and its secret, which nobody can be shown again."""

    key: ApiKey
    secret: str


def new_secret() -> str:
    """Return a secret of 256 bits that secret scanners know, with a checksum at its end."""
    body = _base62(secrets.randbits(256), 43)
    return f"{PREFIX}{body}{_checksum(body)}"


def hash_of(secret: str) -> bytes:
    """Return what is stored of a secret. Raises InvalidApiKey for what is none, without asking."""
    form = FORM.fullmatch(secret)
    if form is None or form[2] != _checksum(form[1]):
        raise InvalidApiKey("The API key is not valid.")
    return hashlib.sha256(secret.encode()).digest()


def network_of_key(text: str) -> str:
    """Return a network as PostgreSQL reads it. Raises ValueError for what is none."""
    if "%" in text:  # an interface of one machine
        raise ValueError(text)
    return str(ip_network(text))


def holder_of(*, secret: str, ip: str | None) -> KeyHolder:
    """Return for whom, and how far, a key may act now. Costs one statement.

    It also notes the use, at most once a minute. Raises InvalidApiKey.
    """
    rows = KeyHolder.objects.raw(
        """
        WITH found AS (
            SELECT key.id, key.owner_id, key.scopes, key.last_used_at
            FROM users_apikey AS key
            WHERE (
                    key.hash = %(hash)s
                    OR key.previous_hash = %(hash)s AND key.previous_until > statement_timestamp()
                )
                AND key.revoked_at IS NULL AND key.expires_at > statement_timestamp()
                AND (key.networks = '{}' OR %(ip)s::inet <<= ANY (key.networks::cidr[]))
        ),
        noted AS (
            UPDATE users_apikey SET last_used_at = statement_timestamp()
            WHERE id IN (
                SELECT key.id FROM users_apikey AS key JOIN found USING (id)
                WHERE key.last_used_at IS NULL
                    OR key.last_used_at < statement_timestamp() - interval '1 minute'
                FOR NO KEY UPDATE OF key SKIP LOCKED
            )
        )
        SELECT person.*, found.id AS key_id, found.scopes AS scopes
        FROM found JOIN users_user AS person ON person.id = found.owner_id
        WHERE person.is_active
        """,
        {"hash": hash_of(secret), "ip": ip},
    )
    for holder in rows:
        return holder
    raise InvalidApiKey("The API key is not valid.")


@transaction.atomic
def create_key(
    *,
    by: Granter,
    owner_id: UUID,
    name: str,
    scopes: Collection[str],
    expires_at: datetime,
    networks: Collection[str] = (),
) -> IssuedKey:
    """Make a key that reaches as far as the scopes, none of which its maker lacks.

    Raises BeyondYourRights, UnknownPermission, ExpiryNotAllowed.
    """
    by.must_hold(scopes)
    if not grantable().keys() >= set(scopes):
        raise UnknownPermission("There is no such permission.")
    _must_end_in_time(expires_at)
    secret = new_secret()
    key = ApiKey.objects.create(
        owner_id=owner_id,
        name=name,
        hint=secret[:8],
        hash=hash_of(secret),
        scopes=sorted(set(scopes)),
        networks=list(networks),
        expires_at=expires_at,
    )
    key.refresh_from_db()
    record("users.api_key_created", about=key.pk, after={"scopes": key.scopes, "until": expires_at})
    return IssuedKey(key, secret)


@transaction.atomic
def rotate_key(
    *, owner_id: UUID, key_id: UUID, overlap: timedelta, expires_at: datetime | None = None
) -> IssuedKey:
    """Give a key another secret; the one before stays good for the overlap.

    The key's end stays unless another is given. Of several at once one succeeds. Raises
    UnknownApiKey, RotationUnderWay, ApiKeyRevoked, ExpiryNotAllowed.
    """
    if expires_at is not None:
        _must_end_in_time(expires_at)
    secret = new_secret()
    mine = ApiKey.objects.filter(pk=key_id, owner=owner_id)
    changed = mine.filter(
        Q(previous_until=None) | Q(previous_until__lte=Now()),
        revoked_at=None,
        expires_at__gt=Now(),
    ).update(
        previous_hash=F("hash"),
        previous_until=Now() + overlap,
        hash=hash_of(secret),
        hint=secret[:8],
        issued_at=Now(),
        expires_at=expires_at or F("expires_at"),
    )
    key = mine.first()
    if key is None:
        raise UnknownApiKey("There is no such key.")
    if not changed:
        if key.revoked_at or key.expires_at <= timezone.now():
            raise ApiKeyRevoked("The key was revoked or has expired.")
        raise RotationUnderWay("The secret before the last rotation is still good.")
    lasts = int(overlap.total_seconds())
    record("users.api_key_rotated", about=key.pk, after={"overlap_seconds": lasts})
    return IssuedKey(key, secret)


@transaction.atomic
def revoke_key(*, key_id: UUID, owner_id: UUID | None = None) -> None:
    """End a key, all its secrets, at once; with `owner_id` only that person's.

    Doing it again changes nothing. Raises UnknownApiKey.
    """
    keys = ApiKey.objects.filter(pk=key_id)
    if owner_id is not None:
        keys = keys.filter(owner=owner_id)
    if keys.filter(revoked_at=None).update(revoked_at=Now()):
        record("users.api_key_revoked", about=key_id)
    elif not keys.exists():
        raise UnknownApiKey("There is no such key.")


def _must_end_in_time(expires_at: datetime) -> None:
    now = timezone.now()
    if not now < expires_at <= now + LONGEST_LIFE:
        raise ExpiryNotAllowed("A key ends in the future, within a year.")


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)


def _base62(number: int, length: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits.rjust(length, DIGITS[0])
