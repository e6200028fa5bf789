"""Secrets that the store has to read again, encrypted at rest under the key of the process."""

from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class NotDecryptable(Exception):
    """It was encrypted under a key that is neither SECRET_KEY nor one of its fallbacks."""


def encrypted(secret: bytes) -> bytes:
    """Return the secret, encrypted and authenticated under SECRET_KEY."""
    return _keys().encrypt(secret)


def decrypted(stored: bytes | memoryview) -> bytes:
    """Return the secret of `encrypted`. Raises NotDecryptable."""
    try:
        return _keys().decrypt(bytes(stored))
    except InvalidToken as error:
        raise NotDecryptable from error


def reencrypted(stored: bytes | memoryview) -> bytes:
    """Return the same secret under the present SECRET_KEY. Raises NotDecryptable."""
    return encrypted(decrypted(stored))


def _keys() -> MultiFernet:
    return MultiFernet(
        [_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )


@cache
def _fernet(secret_key: str) -> Fernet:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"apps.kernel.encryption")
    return Fernet(urlsafe_b64encode(hkdf.derive(secret_key.encode())))
