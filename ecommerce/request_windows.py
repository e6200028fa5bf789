"""Counting by key in windows of time, in Redis or, while it is away, in this process."""

import logging
import threading
import time
from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE_SECONDS = 0.1  # what a hung Redis costs one request of a process in each PAUSE_SECONDS
PAUSE_SECONDS = 5
CLIENTS_AT_MOST = 10_000

log = logging.getLogger(__name__)


class Windows:
    """Counts requests by key in windows that begin with their first one.

    Redis counts for all processes, exactly, in one round trip. While it is away each process counts
    its own, and one request of it asks again every PAUSE_SECONDS.
    """

    COUNT = """
        local requests = redis.call('INCR', KEYS[1])
        local left = redis.call('PTTL', KEYS[1])
        if left < 0 then
            left = tonumber(ARGV[1])
            redis.call('PEXPIRE', KEYS[1], left)
        end
        return {requests, left}
    """

    def __init__(self, url: str, *, prefix: str, seconds: float) -> None:
        self._prefix = prefix
        self._seconds = seconds
        client = redis.Redis.from_url(
            url,
            socket_connect_timeout=PATIENCE_SECONDS,
            socket_timeout=PATIENCE_SECONDS,
            # A connection that Redis has closed meanwhile is opened anew, once.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
        self._count_in_redis = client.register_script(self.COUNT)
        self._lock = threading.Lock()
        self._away = False
        self._ask_again_at = 0.0
        self._here: dict[str, tuple[int, float]] = {}

    def count(self, key: str) -> tuple[int, float]:
        """Return how many requests the key's window has seen, and the seconds until it ends."""
        if not self._may_ask():
            return self._count_here(key)
        try:
            requests, left = cast(
                "list[int]",
                self._count_in_redis([f"{self._prefix}:{key}"], [round(self._seconds * 1000)]),
            )
        except redis.RedisError as error:
            if not self._away:
                log.warning("Each process limits requests alone: %s", type(error).__name__)
            self._away, self._ask_again_at = True, time.monotonic() + PAUSE_SECONDS
            return self._count_here(key)
        self._away = False
        return requests, left / 1000

    def _may_ask(self) -> bool:
        if not self._away:
            return True
        with self._lock:
            if time.monotonic() < self._ask_again_at:
                return False
            self._ask_again_at = time.monotonic() + PAUSE_SECONDS
            return True

    def _count_here(self, key: str) -> tuple[int, float]:
        now = time.monotonic()
        with self._lock:
            requests, ends_at = self._here.pop(key, (0, now))
            if ends_at <= now:
                requests, ends_at = 0, now + self._seconds
            self._here[key] = requests + 1, ends_at
            if len(self._here) > CLIENTS_AT_MOST:
                del self._here[next(iter(self._here))]  # whoever was quiet for longest
        return requests + 1, ends_at - now
