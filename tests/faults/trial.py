"""Purchases in a store that is being hurt, and how it is judged afterwards."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx
from running_store import RunningStore, eventually
from shopper import CARD, CARD_WITH_CHALLENGE, DECLINED_CARD, Shopper, Staff, connections

BUYERS = 8
PATIENCE_OF_A_BUYER = 90
PATIENCE_TO_SETTLE = 60
PATIENCE_TO_DELIVER = 180
PAID = {"paid", "fulfilling", "completed"}
DECIDED = {"captured", "failed", "voided", "requires_action"}


@dataclass
class Trial:
    """Orders of one product in one store."""

    store: RunningStore
    http: httpx.Client
    staff: Staff
    product: dict
    on_hand: int
    chance: random.Random
    say: Callable[[str], None]
    acknowledged: list[str] = field(default_factory=list)
    repeated: int = 0
    hurts: Counter[str] = field(default_factory=Counter)
    _begun: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = field(default_factory=time.monotonic)

    # Buying

    def buy(self, count: int, hurts: Sequence[Callable[[], str]]) -> None:
        """Place so many orders; do each hurt once, at moments that chance spreads over them."""
        cards = self.chance.choices(
            (CARD, DECLINED_CARD, CARD_WITH_CHALLENGE), weights=(17, 2, 1), k=count
        )
        moments = sorted(self.chance.sample(range(BUYERS, count - BUYERS), len(hurts)))
        with ThreadPoolExecutor(BUYERS + 1) as pool:
            hurting = pool.submit(self._hurt, list(zip(moments, hurts, strict=True)))
            for placed in [pool.submit(self.purchase, card) for card in cards]:
                placed.result()
            hurting.result()

    def purchase(self, card: str = CARD) -> tuple[Shopper, dict]:
        """Order one piece, as a guest who repeats what gets no answer."""
        buyer = Shopper(self.http, patience=PATIENCE_OF_A_BUYER)
        with self._lock:
            self._begun += 1
        order = buyer.buy({self.product["variants"][0]["id"]: 1}, method=card)
        with self._lock:
            self.acknowledged.append(order["id"])
            self.repeated += buyer.repeated
        return buyer, order

    def purchase_until(self, status: str) -> None:
        """Order one piece and wait until its payment has this status."""
        buyer, order = self.purchase()

        def payment() -> str:
            return str(buyer.order(order["id"])["payments"][0]["status"])

        eventually(payment, lambda now: now == status, patience=30)

    # Hurting

    def _hurt(self, plan: list[tuple[int, Callable[[], str]]]) -> None:
        for moment, hurt in plan:
            while self._begun < moment:
                time.sleep(0.01)
            self.hurts[hurt()] += 1

    def kill_main(self, *words: str) -> None:
        """kill -9 the process with these words that the supervisor watches."""
        _kill(eventually(lambda: self.store.main_process(*words), bool, patience=30))

    def kill_parts(self, *words: str, most: int = 1) -> None:
        """kill -9 so many of the processes that it has started itself."""

        def parts() -> list[int]:
            main = self.store.main_process(*words)
            return [pid for pid in self.store.processes(*words) if main and pid != main]

        found = eventually(parts, bool, patience=30)
        for pid in self.chance.sample(found, min(most, len(found))):
            _kill(pid)

    # Judging

    def judge(self) -> None:
        """Require what a store that was hurt owes: agreement within a minute, then delivery."""
        placed = time.monotonic()
        eventually(self._disagreements, lambda found: not found, patience=PATIENCE_TO_SETTLE)
        agreed = time.monotonic()
        assert sorted(order["id"] for order in self._orders()) == sorted(self.acknowledged)
        eventually(self._on_the_way, lambda left: not left, patience=PATIENCE_TO_DELIVER)
        delivered = time.monotonic()
        statuses = Counter(order["status"] for order in self._orders())
        assert statuses.keys() <= {"completed", "pending_payment"}
        stock = self.staff.stock_of(self.product)
        assert stock["on_hand"] == self.on_hand - statuses["completed"]
        assert stock["reserved"] == statuses["pending_payment"]
        self.store.set_faults()  # a check that gets no answer says so instead of asking again
        invariants = self.store.manage("check_invariants")
        assert invariants.returncode == 0, invariants.stdout + invariants.stderr
        hurts = ", ".join(f"{times} x {what}" for what, times in sorted(self.hurts.items()))
        self.say(
            f"{len(self.acknowledged)} orders in {placed - self._began:.0f} s, "
            f"{self.repeated} requests repeated, {hurts}: "
            f"{len(self._captured().keys() & set(self.acknowledged))} charges, {dict(statuses)}, "
            f"in agreement {agreed - placed:.1f} s after the last order, "
            f"delivered after {delivered - placed:.1f} s"
        )

    def _orders(self) -> list[dict]:
        return self.staff.orders_of(self.product)

    def _captured(self) -> dict[str, list[int]]:
        """Return what the provider has charged for each order."""
        captured: dict[str, list[int]] = {}
        for charge in self.store.ledger():
            if charge["amount_captured"]:
                order_id = charge["metadata"]["order_id"]
                captured.setdefault(order_id, []).append(charge["amount_captured"])
        return captured

    def _disagreements(self) -> list[str]:
        """Return the orders that are undecided, or not as the provider's ledger says."""
        captured = self._captured()
        found = []
        for order in self._orders():
            charged = captured.get(order["id"], [])
            assert len(charged) < 2, f"order {order['id']} was charged {len(charged)} times"
            total = round(float(order["totals"]["grand_total"]["amount"]) * 100)
            owed = [total] if order["status"] in PAID else []
            statuses = {payment["status"] for payment in order["payments"]}
            if charged != owed or not statuses <= DECIDED:
                found.append(f"{order['id']} {order['status']} {statuses}, charged {charged}")
        return found

    def _on_the_way(self) -> list[str]:
        return [order["id"] for order in self._orders() if order["status"] in PAID - {"completed"}]


@contextmanager
def trial_of(
    store: RunningStore, *, seed: int, say: Callable[[str], None], on_hand: int = 500
) -> Iterator[Trial]:
    """Give a trial in a running store; the same seed hurts it at the same moments."""
    with connections(store.url) as http:
        staff = Staff(http, email="admin@example.com", password=store.admin_password())
        product = staff.add_product(on_hand=on_hand)
        yield Trial(store, http, staff, product, on_hand, random.Random(seed), say)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
