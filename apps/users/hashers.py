"""Password hashing: Argon2id at the parameters that OWASP and ASVS 5.0 (appendix C) ask for."""

import os
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import Argon2PasswordHasher

HASHES_AT_ONCE = 4


class Hashing:
    """The few threads of a process that hash.

    A hash takes 19 MiB and a core. The allocator keeps such blocks for each thread that has ever
    had one, so a semaphore alone would bound the parallel work but not the memory.
    """

    threads: ThreadPoolExecutor

    @classmethod
    def start(cls) -> None:
        cls.threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="hashing")


Hashing.start()
# Threads do not survive a fork, so a web worker brings its own.
os.register_at_fork(after_in_child=Hashing.start)


class Argon2idHasher(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: about 20 ms, and parallel logins stay small in memory."""

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return Hashing.threads.submit(super().encode, password, salt).result()

    def verify(self, password: str, encoded: str) -> bool:
        return Hashing.threads.submit(super().verify, password, encoded).result()


class FastArgon2idHasher(Argon2idHasher):
    """The same algorithm with the least work, for tests that are not about it."""

    memory_cost = 8
    time_cost = 1
