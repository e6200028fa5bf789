"""Reads of the keys of access tokens, remembered by the process for a few seconds."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.encryption import NotDecryptable, decrypted
from apps.users.models import SigningKey

# No key signs before it has been published for longer than this, so none that is used is unknown.
REMEMBERED_FOR = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a moment: one signs, all verify."""

    signing_kid: str
    signing_key: EllipticCurvePrivateKey
    public_keys: Mapping[str, EllipticCurvePublicKey]


class Keys:
    """The keyring, read from the database at most once in `remembered_for` by each process."""

    def __init__(self, *, remembered_for: timedelta = REMEMBERED_FOR) -> None:
        self.remembered_for = remembered_for
        self._known: tuple[float, Keyring] | None = None

    def ring(self) -> Keyring:
        now = time.monotonic()
        if self._known is None or now - self._known[0] > self.remembered_for.total_seconds():
            self._known = now, read_keyring()
        return self._known[1]

    def forget(self) -> None:
        self._known = None


keys = Keys()


def read_keyring() -> Keyring:
    """Return the keys of this moment. One statement."""
    rows = list(
        SigningKey.objects.filter(Q(retired_at=None) | Q(retired_at__gt=Now()))
        .annotate(signs=Q(signs_from__lte=Now()))
        .order_by("-signs_from")
    )
    if not rows:
        first = first_key()
        kid = kid_of(first.public_key())
        return Keyring(kid, first, {kid: first.public_key()})
    public_keys = {row.kid: _public_key(row.public_key.encode()) for row in rows}
    for row in rows:
        # A process that still has the former SECRET_KEY alone goes on with the former signing key.
        if row.signs and (key := _private(row)):
            return Keyring(row.kid, key, public_keys)
    raise NotDecryptable("No signing key can be decrypted: is the former SECRET_KEY a fallback?")


def first_key() -> EllipticCurvePrivateKey:
    """Return the key of the environment, with which a store begins."""
    return _private_key(cast("bytes", settings.SIMPLE_JWT["SIGNING_KEY"]))


def jwk_of(key: EllipticCurvePublicKey) -> dict[str, str]:
    """Return the public key as the members that RFC 7638 hashes."""
    numbers = key.public_numbers()
    x, y = (_encoded(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def kid_of(key: EllipticCurvePublicKey) -> str:
    """Return the key's thumbprint (RFC 7638)."""
    members = ",".join(f'"{name}":"{value}"' for name, value in sorted(jwk_of(key).items()))
    return _encoded(sha256(f"{{{members}}}".encode()).digest())


def _private_key(pem: bytes) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("This is no key on an elliptic curve.")
    return key


def _public_key(pem: bytes) -> EllipticCurvePublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, EllipticCurvePublicKey):
        raise TypeError("This is no key on an elliptic curve.")
    return key


def _private(row: SigningKey) -> EllipticCurvePrivateKey | None:
    try:
        return _private_key(decrypted(row.private_key))
    except NotDecryptable:
        return None


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")
