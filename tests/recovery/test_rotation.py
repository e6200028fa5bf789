"""Secrets are changed as the runbook says; nobody who buys notices more than a token's renewal."""

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

from ecommerce.local.state import GENERATORS

OLD, NEW = "whsec_old", "whsec_new"


@pytest.fixture
def store() -> Iterator[RunningStore]:
    with running_store(STRIPE_WEBHOOK_SECRET=OLD) as store:
        yield store


def test_secrets_change_in_two_steps_and_cost_a_customer_one_renewal(store: RunningStore):
    with connections(store.url) as http:
        somebody = Shopper(http)
        somebody.register()
        tokens = somebody.log_in()

        store.restart(
            SECRET_KEY=secrets.token_urlsafe(50),
            SECRET_KEY_FALLBACKS=store.variables()["SECRET_KEY"],
            JWT_SIGNING_KEY=GENERATORS["jwt_signing_key"](),
            STRIPE_WEBHOOK_SECRET=f"{NEW},{OLD}",
        )
        # Access tokens have one key and live for five minutes: they are renewed now.
        assert somebody.ask("GET", "/users/me").status_code == 401
        tokens = renew(somebody, tokens)
        assert somebody.get("/users/me")["email"] == somebody.email
        assert [answer_to(store, secret) for secret in (NEW, OLD)] == [200, 200]

        store.restart(SECRET_KEY_FALLBACKS="", STRIPE_WEBHOOK_SECRET=NEW)
        assert somebody.get("/users/me")["email"] == somebody.email
        renew(somebody, tokens)
        assert [answer_to(store, secret) for secret in (NEW, OLD)] == [200, 400]


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
