"""A circuit breaker: a server that failed a few times in a row is left alone for a while."""

import logging
import time
from collections.abc import Callable
from threading import Lock

log = logging.getLogger(__name__)


class Breaker:
    """Counts failures in a row. Thread-safe, and never held while somebody asks the server.

    After `failures` of them nobody is let through for `rest` seconds; then one caller at a time
    tries, every `rest` seconds, until one succeeds.
    """

    def __init__(
        self, *, failures: int, rest: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._enough = failures
        self._rest = rest
        self._clock = clock
        self._lock = Lock()
        self._failed = 0
        self._next_try = 0.0

    def lets_through(self) -> bool:
        """Tell whether the caller may ask the server. Whoever does says how it went."""
        with self._lock:
            if self._failed < self._enough:
                return True
            now = self._clock()
            if now < self._next_try:
                return False
            self._next_try = now + self._rest
            return True

    def succeeded(self) -> None:
        """The server has answered in time."""
        with self._lock:
            was_open, self._failed = self._failed >= self._enough, 0
        if was_open:
            log.warning("The search cluster answers again.")

    def failed(self, error: Exception) -> None:
        """The server has not answered in time, or refused."""
        with self._lock:
            self._failed += 1
            self._next_try = self._clock() + self._rest
            opens = self._failed == self._enough
        if opens:
            log.warning("The search cluster is left alone for a while: %r", error)
