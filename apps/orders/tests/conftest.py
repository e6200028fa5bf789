"""What the tests of orders share: the payment sandbox as the provider, and a worker's turn."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from rest_framework.test import APIClient

from apps.kernel.delivery import relay_batch
from apps.orders.models import TaxClass
from apps.orders.services import billing, fees, orders, payments, refunds, shipments, strays
from apps.users.tests.factories import StaffFactory


@pytest.fixture
def staff(db: None) -> APIClient:
    """Return a client of somebody who may do everything."""
    client = APIClient()
    client.force_authenticate(
        StaffFactory.create(is_superuser=True),
        token=SimpleNamespace(second_factor=True),  # type: ignore[arg-type]  # like a session
    )
    return client


@pytest.fixture
def standard_class(db: None) -> None:
    """Make the class that the migrations made, also after a test that has emptied the tables."""
    standard = {"name": "Standard", "is_default": True}
    TaxClass.objects.get_or_create(code="standard", defaults=standard)


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
                    refunds.advance_refund(),
                    strays.advance_stray(),
                    fees.advance_fee(),
                    shipments.advance_shipment(),
                    billing.advance_document(),
                    relay_batch() > 0,
                ]
            )

    return until_idle
