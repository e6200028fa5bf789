"""Telling the store what happened: signed deliveries, repeated until they are accepted."""

import asyncio
import hashlib
import hmac
import logging
import time

import aiohttp

from ecommerce.local.payment_sandbox.store import Delivery, Store

AT_ONCE = 16
LONGEST_PAUSE = 60.0
PATIENCE = aiohttp.ClientTimeout(total=10, connect=2)

log = logging.getLogger(__name__)


def signature(body: bytes, *, secret: str, moment: int) -> str:
    """Return the `Stripe-Signature` header of a body."""
    digest = hmac.new(secret.encode(), b"%d.%b" % (moment, body), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def pause_after(tries: int) -> float:
    """Return how long to wait after so many failed tries: 1 s, 2 s, 4 s … at most a minute."""
    return min(LONGEST_PAUSE, 2.0 ** min(tries - 1, 10))


class Deliveries:
    """Works off the deliveries in the store, a few at once; what is pending survives a restart."""

    def __init__(self, store: Store, *, url: str, secret: str) -> None:
        self._store = store
        self._url = url
        self._secret = secret
        self._wake = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look at once: something new may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with aiohttp.ClientSession(timeout=PATIENCE) as session:
            try:
                while True:
                    self._wake.clear()
                    self._start_what_is_due(session)
                    await self._rest()
            finally:
                for task in self._under_way.values():
                    task.cancel()
                await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _start_what_is_due(self, session: aiohttp.ClientSession) -> None:
        free = AT_ONCE - len(self._under_way)
        for delivery in self._store.due(now=time.time(), limit=free, besides=self._under_way):
            task = asyncio.create_task(self._deliver(session, delivery))
            self._under_way[delivery.id] = task

    async def _rest(self) -> None:
        due_at = self._store.next_due_at(besides=self._under_way)
        full = len(self._under_way) == AT_ONCE
        pause = None if full or due_at is None else max(0.0, due_at - time.time())
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            return

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        secret = self._secret
        if self._store.faults.next_signature_is_bad():
            secret = f"{secret}-wrong"
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(delivery.body, secret=secret, moment=int(time.time())),
            "User-Agent": "payment-sandbox",
        }
        try:
            async with session.post(
                self._url, data=delivery.body, headers=headers, allow_redirects=False
            ) as response:
                accepted, outcome = 200 <= response.status < 300, str(response.status)
        except (aiohttp.ClientError, OSError) as error:
            accepted, outcome = False, type(error).__name__
        finally:
            self._under_way.pop(delivery.id, None)
            self.wake()
        if accepted:
            self._store.delivered(delivery.id)
        else:
            pause = pause_after(delivery.tries + 1)
            self._store.postpone(delivery.id, due_at=time.time() + pause)
            log.warning("webhook %s: %s, again in %.0f s", delivery.event, outcome, pause)
