"""Everything that changes the keys of access tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Least, Now

from apps.kernel.audit import record
from apps.kernel.encryption import NotDecryptable, encrypted, reencrypted
from apps.kernel.errors import Conflict, Invalid
from apps.users.models import SigningKey
from apps.users.selectors.signing_keys import REMEMBERED_FOR, first_key, kid_of

LOCK = 0x6A_7774  # "jwt"
JWKS_MAX_AGE = timedelta(minutes=5)
WAIT = JWKS_MAX_AGE + 2 * REMEMBERED_FOR


class RotationUnderWay(Conflict):
    """A newer key is published and does not sign yet."""

    code = "rotation_under_way"


class TooShortWait(Invalid):
    """Processes would meet tokens of a key that they have not read yet."""

    code = "too_short_wait"


@dataclass(frozen=True, slots=True)
class Rotation:
    """When the new key signs, and when the ones before it are worth nothing."""

    kid: str
    signs_from: datetime
    former_until: datetime


@transaction.atomic
def rotate(*, wait: timedelta = WAIT, compromised: bool = False) -> Rotation:
    """Publish a new key that signs after `wait`; its predecessor verifies until its tokens ended.

    Nobody valid is refused: every process and every reader of the JWKS knows the key before it
    signs. With `compromised`, the keys before it end in the moment in which it signs.
    Raises TooShortWait; RotationUnderWay, unless `compromised`.
    """
    if wait < (least := 2 * REMEMBERED_FOR):
        raise TooShortWait(f"Wait at least {least.total_seconds():.0f} s.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        # One moment for both: between the end of the former keys and the new one none would sign.
        cursor.execute("SELECT statement_timestamp()")
        signs_from = cursor.fetchone()[0] + wait
    if not SigningKey.objects.exists():
        _add(first_key())
    elif not compromised and SigningKey.objects.filter(signs_from__gt=Now()).exists():
        raise RotationUnderWay("The key before this one does not sign yet.")
    lifetime = cast("timedelta", settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"])
    overlap = timedelta() if compromised else lifetime + 2 * REMEMBERED_FOR
    living = SigningKey.objects.filter(Q(retired_at=None) | Q(retired_at__gt=Now()))
    living.update(retired_at=Least("retired_at", Value(signs_from + overlap)))
    new = _add(generate_private_key(SECP256R1()), signs_from=signs_from)
    after = {"signs_from": new.signs_from, "compromised": compromised}
    record("users.signing_key_rotated", about=new.kid, after=after)
    return Rotation(kid=new.kid, signs_from=new.signs_from, former_until=new.signs_from + overlap)


def reencrypt() -> tuple[int, int]:
    """Bring the private keys under the present SECRET_KEY. Returns how many are, and are not."""
    done = lost = 0
    for kid, stored in SigningKey.objects.values_list("kid", "private_key"):
        try:
            SigningKey.objects.filter(pk=kid).update(private_key=reencrypted(stored))
            done += 1
        except NotDecryptable:
            lost += 1
    return done, lost


def forget_retired_keys() -> int:
    """Delete the keys that have verified nothing for a day. Returns how many."""
    old = SigningKey.objects.filter(retired_at__lt=Now() - timedelta(days=1))
    return old.delete()[0]


def _add(key: EllipticCurvePrivateKey, **times: object) -> SigningKey:
    public = key.public_key()
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    row = SigningKey.objects.create(
        kid=kid_of(public),
        public_key=public_pem.decode(),
        private_key=encrypted(private_pem),
        **times,
    )
    row.refresh_from_db()
    return row
