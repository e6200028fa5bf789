"""A sandbox process per test module, fresh ones for rough tests, and a store that listens."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from ecommerce.local.payment_sandbox.process import Sandbox, start

SECRET_KEY = "sk_test_sandbox"
WEBHOOK_SECRET = "whsec_sandbox"
CARD = {"allowed_payment_method_types": ["card"]}
# The SDK's parameter types cannot be put together from parts.
PAYMENT: Any = {
    "amount": 1000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    **CARD,
}


@dataclass
class Inbox:
    """A store's webhook endpoint: keeps what arrives and answers as told.

    An event in `holds` keeps one request waiting until it is set.
    """

    url: str = ""
    arrived: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    holds: list[threading.Event] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes, signature: str) -> int:
        if self.holds:
            self.holds.pop().wait(5)
        with self.changed:
            self.arrived.append((body, signature))
            self.changed.notify_all()
            return self.answers.pop(0) if self.answers else 200

    def events(self) -> list[stripe.Event]:
        with self.changed:
            return [
                stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
                for body, signature in self.arrived
            ]

    def types(self) -> list[str]:
        return [event.type for event in self.events()]

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 10) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, seconds), self.arrived

    def wait_for_count(self, count: int) -> None:
        self.wait_for(lambda: len(self.arrived) >= count)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    held = Inbox()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = held.take(body, self.headers["Stripe-Signature"])
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        held.url = f"http://127.0.0.1:{server.server_port}/hooks"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield held
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox without webhooks, shared by the tests of a module."""
    with start(
        state_path=tmp_path_factory.mktemp("sandbox") / "state.sqlite3",
        webhook_url="",
        secret_key=SECRET_KEY,
        webhook_secret=WEBHOOK_SECRET,
    ) as sandbox:
        yield sandbox


@pytest.fixture
def telling(inbox: Inbox, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of the test's own that tells the inbox."""
    with start(
        state_path=tmp_path / "state.sqlite3",
        webhook_url=inbox.url,
        secret_key=SECRET_KEY,
        webhook_secret=WEBHOOK_SECRET,
    ) as sandbox:
        yield sandbox


def sdk_of(sandbox: Sandbox) -> stripe.StripeClient:
    return stripe.StripeClient(
        SECRET_KEY, base_addresses={"api": sandbox.url}, max_network_retries=0
    )


@pytest.fixture
def sdk(quiet: Sandbox) -> stripe.StripeClient:
    return sdk_of(quiet)


@pytest.fixture
def web(quiet: Sandbox) -> Iterator[httpx.Client]:
    """Plain HTTP with the secret key."""
    with httpx.Client(base_url=quiet.url, auth=(SECRET_KEY, ""), timeout=10) as client:
        yield client


@pytest.fixture
def fault_plan(web: httpx.Client) -> Iterator[Callable[..., None]]:
    """Set faults for one test."""

    def inject(**plan: object) -> None:
        web.post("/_sandbox/faults", json=plan).raise_for_status()

    yield inject
    inject()


def charges_of(sandbox: Sandbox, intent_id: str) -> list[dict[str, object]]:
    ledger = httpx.get(f"{sandbox.url}/_sandbox/ledger").json()
    return [entry for entry in ledger["charges"] if entry["payment_intent"] == intent_id]
