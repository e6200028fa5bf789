"""The store that is lost, beside a payment provider that is not."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drill import Drill
from running_store import free_port, running_store

from ecommerce.local.payment_sandbox.process import start

SECRETS = {"STRIPE_SECRET_KEY": "sk_test_drill", "STRIPE_WEBHOOK_SECRET": "whsec_drill"}


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]) -> Iterator[Drill]:
    """A store with a database of its own of at least 1 GB, sold from and archived."""
    given = os.environ.pop("DATABASE_URL", None)  # a database that we may lose
    port, folder = free_port(), tmp_path_factory.mktemp("drill")
    try:
        with (
            running_store(
                STRIPE_API_BASE=f"http://127.0.0.1:{port}",
                CARRIER_SIMULATED_DELIVERY_SECONDS="2",
                **SECRETS,
            ) as store,
            start(
                state_path=Path(folder / "sandbox.sqlite3"),
                webhook_url=f"{store.url}/api/v1/hooks/payments/stripe",
                secret_key=SECRETS["STRIPE_SECRET_KEY"],
                webhook_secret=SECRETS["STRIPE_WEBHOOK_SECRET"],
                port=port,
            ) as provider,
        ):
            store.sandbox_url = provider.url
            made = Drill(store, folder / "journal", say)
            made.fill()
            with store.archiving():
                made.wait_for_backup()
                yield made
    finally:
        if given:
            os.environ["DATABASE_URL"] = given
