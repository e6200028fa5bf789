"""Codes that prove a second factor, each of them once."""

import hashlib
import hmac
import re
import secrets
import time
from uuid import UUID

import pyotp
from django.db.models import F
from django.db.models.functions import Now

from apps.kernel.encryption import NotDecryptable, decrypted
from apps.users.models import RecoveryCode, SecondFactor

STEP_SECONDS = 30
DRIFT = 1
RECOVERY_CODES = 10
# Three of a million codes are right at any moment: so many guesses are never worth it, however
# slowly they come (NIST SP 800-63B, 5.2.2).
MOST_WRONG_CODES = 100
# Crockford's: no letter that is read as a digit. 16 hold 80 bits, so a plain hash is enough.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def spend(*, user_id: UUID, code: str) -> bool:
    """Return whether the code is the person's, of the app or a recovery code; it is used up then.

    However many bring the same code at the same moment, one is believed.
    """
    plain = re.sub(r"[\s-]", "", code).lower()
    if len(plain) == 6:
        return _spend_code_of_app(user_id, plain)
    unused = RecoveryCode.objects.filter(user=user_id, hash=hash_of(plain), used_at=None)
    if not unused.update(used_at=Now()):
        return False
    SecondFactor.objects.filter(user=user_id).update(wrong_codes=0)
    return True


def step_of(secret: bytes, code: str) -> int | None:
    """Return the time step whose code this is: the present one, or one before or after it."""
    now, totp = int(time.time()) // STEP_SECONDS, pyotp.TOTP(secret.decode())
    steps = range(now - DRIFT, now + DRIFT + 1)
    matching = [
        step
        for step in steps
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
    ]
    return matching[0] if matching else None


def new_recovery_codes() -> list[str]:
    """Return so many fresh codes as people get to write down."""
    codes = ("".join(secrets.choice(ALPHABET) for _ in range(16)) for _ in range(RECOVERY_CODES))
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]


def hash_of(recovery_code: str) -> bytes:
    """Return what is stored of a recovery code, whatever its dashes."""
    return hashlib.sha256(recovery_code.replace("-", "").encode()).digest()


def _spend_code_of_app(user_id: UUID, code: str) -> bool:
    living = SecondFactor.objects.filter(user=user_id, confirmed_at__isnull=False)
    # Counted before it is looked at, so that parallel guesses are as many as they are.
    if not living.filter(wrong_codes__lt=MOST_WRONG_CODES).update(wrong_codes=F("wrong_codes") + 1):
        return False
    factor = living.first()
    if factor is None:
        return False
    try:
        step = step_of(decrypted(factor.secret), code)
    except NotDecryptable:  # the recovery codes still open the account
        return False
    if step is None:
        return False
    unspent = living.filter(secret=factor.secret, last_step__lt=step)
    return unspent.update(last_step=step, wrong_codes=0) == 1
