"""The sandbox as a pytest fixture, for tests of the store: name this module in `pytest_plugins`."""

from collections.abc import Iterator

import pytest

from ecommerce.local.payment_sandbox.process import Sandbox, start


@pytest.fixture(scope="session")
def payment_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Return a running sandbox that sends no webhooks."""
    with start(
        state_path=tmp_path_factory.mktemp("payment-sandbox") / "state.sqlite3",
        webhook_url="",
        secret_key="sk_test_fixture",  # noqa: S106 - of a process that ends with the tests
        webhook_secret="whsec_fixture",  # noqa: S106 - the same
    ) as sandbox:
        yield sandbox
