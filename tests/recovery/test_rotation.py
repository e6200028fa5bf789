"""Secrets are changed as the runbook says; nobody who buys notices anything."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator

import httpx
import pytest
from running_store import RunningStore, running_store
from shopper import Shopper, connections

OLD, NEW = "whsec_old", "whsec_new"


@pytest.fixture
def store() -> Iterator[RunningStore]:
    with running_store(STRIPE_WEBHOOK_SECRET=OLD) as store:
        yield store


def test_secrets_change_in_two_steps_and_a_customer_notices_nothing(store: RunningStore):
    with connections(store.url) as http:
        somebody = Shopper(http)
        somebody.register(store.mailbox)
        tokens = somebody.log_in()

        rotated = store.manage("rotate_signing_key", "--wait=20")
        assert rotated.returncode == 0, rotated.stderr
        signs_at = time.monotonic() + 31  # a process may learn it 10 s late
        seen = set()
        while time.monotonic() < signs_at:
            assert somebody.get("/users/me")["email"] == somebody.email
            tokens = renew(somebody, tokens)
            seen.add(kid_of(tokens["access"]))
            time.sleep(0.2)
        published = httpx.get(f"{store.url}/.well-known/jwks.json").json()["keys"]
        assert seen == {key["kid"] for key in published}
        assert len(seen) == 2

        store.restart(
            SECRET_KEY=secrets.token_urlsafe(50),
            SECRET_KEY_FALLBACKS=store.variables()["SECRET_KEY"],
            STRIPE_WEBHOOK_SECRET=f"{NEW},{OLD}",
        )
        assert somebody.get("/users/me")["email"] == somebody.email
        assert [answer_to(store, secret) for secret in (NEW, OLD)] == [200, 200]

        assert store.manage("reencrypt_secrets").returncode == 0
        store.restart(SECRET_KEY_FALLBACKS="", STRIPE_WEBHOOK_SECRET=NEW)
        assert somebody.get("/users/me")["email"] == somebody.email
        renew(somebody, tokens)
        assert [answer_to(store, secret) for secret in (NEW, OLD)] == [200, 400]


def kid_of(access_token: str) -> str:
    head = access_token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def renew(somebody: Shopper, tokens: dict) -> dict:
    somebody.headers = {}
    renewed = somebody.told("POST", "/auth/refresh", {"refresh": tokens["refresh"]}, status=200)
    somebody.headers = {"Authorization": f"Bearer {renewed['access']}"}
    return renewed


def answer_to(store: RunningStore, secret: str) -> int:
    """Return how the store answers a message that is signed with the secret."""
    event = {
        "id": f"evt_{secrets.token_hex(8)}",
        "type": "payment_intent.created",
        "created": int(time.time()),
        "data": {"object": {"object": "payment_intent", "id": "pi_of_nobody"}},
    }
    body, at = json.dumps(event).encode(), int(time.time())
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return httpx.post(
        f"{store.url}/api/v1/hooks/payments/stripe",
        content=body,
        headers={
            "Content-Type": "application/json",
            "Stripe-Signature": f"t={at},v1={signature}",
        },
        timeout=30,
    ).status_code
