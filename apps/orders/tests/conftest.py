"""What the tests of orders share: the payment sandbox as the provider, and a worker's turn."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from apps.kernel.delivery import relay_batch
from apps.orders.services import orders, payments, shipments, strays


@pytest.fixture
def provider(payment_sandbox, settings) -> Any:
    """Return the sandbox, empty, as the provider that the settings name."""
    settings.STRIPE_SECRET_KEY = payment_sandbox.secret_key
    settings.STRIPE_WEBHOOK_SECRETS = [payment_sandbox.webhook_secret]
    settings.STRIPE_API_BASE = payment_sandbox.url
    httpx.post(f"{payment_sandbox.url}/_sandbox/reset").raise_for_status()
    httpx.post(f"{payment_sandbox.url}/_sandbox/faults", json={}).raise_for_status()
    return payment_sandbox


@pytest.fixture
def ledger(provider) -> Callable[[], list[dict[str, Any]]]:
    """Return what the provider has charged: the oracle."""
    return lambda: httpx.get(f"{provider.url}/_sandbox/ledger").json()["charges"]


@pytest.fixture
def work(provider) -> Callable[[], None]:
    """Return a function that does all background work that is due."""

    def until_idle() -> None:
        busy = True
        while busy:
            orders.expire_orders()
            busy = any(
                [
                    payments.process_webhook(),
                    payments.advance_payment(),
                    payments.advance_refund(),
                    strays.advance_stray(),
                    shipments.advance_shipment(),
                    relay_batch() > 0,
                ]
            )

    return until_idle
