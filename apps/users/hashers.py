"""Password hashing: Argon2id at the parameters that OWASP and ASVS 5.0 (appendix C) ask for."""

from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

# A hash takes 19 MiB and a core: more at once would be slower and could exhaust the memory.
HASHES_AT_ONCE = 4
slots = BoundedSemaphore(HASHES_AT_ONCE)


class Argon2idHasher(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: about 20 ms, and parallel logins stay small in memory."""

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with slots:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with slots:
            return super().verify(password, encoded)


class FastArgon2idHasher(Argon2idHasher):
    """The same algorithm with the least work, for tests that are not about it."""

    memory_cost = 8
    time_cost = 1
