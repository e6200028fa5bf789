"""Shoppers who never stop: what the store answers to each request while its releases change.

Run as a process of its own, so that the store's processes and the measuring do not slow each other
through one interpreter: `python shoppers.py URL SKU SHOPPERS`. It ends on SIGTERM and prints what
happened as JSON. Every request has a connection of its own: a connection that is kept may be closed
by the gateway at any moment, and would hide or add failures that are not the store's.
"""

import http.client
import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "line1": "12 Mill Lane",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62704",
    "country": "US",
}
PAYMENT = {"provider": "stripe", "method": "pm_card_visa"}
READS = ("/products?limit=3", "/products/{slug}", "/inventory/{id}")
FASTEST = 1 / 40  # seconds for a request: the gateway lets 50 a second pass


@dataclass
class Tally:
    """What all shoppers saw together."""

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    orders: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def summary(self) -> dict[str, object]:
        ordered = sorted(self.seconds) or [0.0]

        def percentile(share: float) -> float:
            return round(ordered[int(share * (len(ordered) - 1))] * 1000, 1)

        return {
            "requests": len(self.seconds),
            "failures": dict(self.failures),
            "orders": self.orders,
            "milliseconds": {f"p{each}": percentile(each / 100) for each in (50, 95, 99)},
            "slowest_seconds": round(ordered[-1], 2),
        }


class Failed(Exception):
    """A request was not answered as it has to be."""


class Guest:
    """One shopper with an address of its own, since the gateway counts requests by address."""

    def __init__(self, url: str, number: int, tally: Tally) -> None:
        self.host, self.port = urlsplit(url).hostname or "", urlsplit(url).port or 80
        self.source = f"127.0.1.{number + 1}"
        self.tally = tally
        self.headers: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: object = None, *, expected: int, key: str = ""
    ) -> bytes:
        """Send a request; anything but the expected status is a failure, and is counted."""
        began = time.monotonic()
        headers = self.headers | {"Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        try:
            connection = http.client.HTTPConnection(
                self.host, self.port, timeout=30, source_address=(self.source, 0)
            )
            sent = None if body is None else json.dumps(body)
            connection.request(method, "/api/v1" + path, sent, headers)
            answer = connection.getresponse()
            content, outcome = answer.read(), str(answer.status)
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            content, outcome = b"", type(error).__name__
        took = time.monotonic() - began
        time.sleep(max(0.0, FASTEST - took))
        with self.tally.lock:
            self.tally.seconds.append(took)
            if outcome != str(expected):
                self.tally.failures[f"{method} {path.split('?', maxsplit=1)[0]} {outcome}"] += 1
                raise Failed
        return content

    def browse(self, product: dict[str, str]) -> None:
        for path in READS:
            self.ask("GET", path.format_map(product), expected=200)

    def buy(self, sku: str) -> None:
        """Order one piece, twice under one key: both answers have to be the same bytes."""
        self.headers = {}
        cart = json.loads(self.ask("POST", "/carts", {}, expected=201))
        self.headers = {"X-Cart-Token": cart["token"]}
        path = f"/carts/{cart['id']}"
        self.ask("POST", f"{path}/items", {"sku": sku, "quantity": 1}, expected=200)
        self.ask("PUT", f"{path}/shipping-address", ADDRESS, expected=200)
        self.ask("PUT", f"{path}/shipping-option", {"code": "standard"}, expected=200)
        order, key = {"email": "ada@example.com", "payment": PAYMENT}, uuid4().hex
        first, again = (
            self.ask("POST", f"{path}/checkout", order, expected=201, key=key) for _ in range(2)
        )
        with self.tally.lock:
            self.tally.orders.append(json.loads(first)["id"])
            if first != again:
                self.tally.failures["a repeated checkout got another answer"] += 1


def main() -> None:
    url, sku, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    stop, tally = threading.Event(), Tally()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    first = json.loads(Guest(url, 0, tally).ask("GET", "/products?limit=1", expected=200))
    product = first["results"][0]

    def shop(number: int) -> None:
        chance = random.Random(number)
        guest = Guest(url, number, tally)
        while not stop.is_set():
            try:
                if chance.random() < 0.06:
                    guest.buy(sku)
                else:
                    guest.browse(product)
            except Failed:
                time.sleep(0.1)

    shoppers = [threading.Thread(target=shop, args=(number,)) for number in range(count)]
    for shopper in shoppers:
        shopper.start()
    for shopper in shoppers:
        shopper.join()
    json.dump(tally.summary(), sys.stdout)


if __name__ == "__main__":
    main()
