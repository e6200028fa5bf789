"""What the suites share: one running store, and people who use it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from mailbox_folder import Mailbox
from running_store import RunningStore, running_store
from shopper import Shopper, Staff, connections

ADMIN_EMAIL = "admin@example.com"
MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Have a line shown at the end of the run, whatever became of the test."""
    return pytestconfig.stash.setdefault(MEASURED, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was measured to the process that shows it, where tests run side by side."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["measured"] = session.config.stash.get(MEASURED, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what another process has measured."""
    measured = getattr(node, "workeroutput", {}).get("measured", [])
    node.config.stash.setdefault(MEASURED, []).extend(measured)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured."""
    if lines := terminalreporter.config.stash.get(MEASURED, []):
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def own_store() -> Iterator[RunningStore]:
    """A store of this session, which may be hurt."""
    with running_store(CARRIER_SIMULATED_DELIVERY_SECONDS="2") as store:
        yield store


@pytest.fixture(scope="session")
def store_url(request: pytest.FixtureRequest) -> str:
    """The running store that STORE_URL names, or the session's own."""
    given = os.environ.get("STORE_URL", "").rstrip("/")
    return given or str(request.getfixturevalue("own_store").url)


@pytest.fixture(scope="session")
def api(store_url: str) -> Iterator[httpx.Client]:
    with connections(store_url) as client:
        yield client


@pytest.fixture
def guest(api: httpx.Client) -> Shopper:
    return Shopper(api)


@pytest.fixture
def mailbox(request: pytest.FixtureRequest) -> Mailbox:
    """The mails of the store, where they can be read."""
    if os.environ.get("STORE_URL"):
        pytest.skip("the mails of the store at STORE_URL cannot be read from here")
    store: RunningStore = request.getfixturevalue("own_store")
    return store.mailbox


@pytest.fixture
def customer(api: httpx.Client, mailbox: Mailbox) -> Shopper:
    """Somebody who has just registered and logged in."""
    somebody = Shopper(api)
    somebody.register(mailbox)
    somebody.log_in()
    return somebody


@pytest.fixture
def staff(request: pytest.FixtureRequest, api: httpx.Client) -> Staff:
    password = os.environ.get("STORE_ADMIN_PASSWORD", "")
    if not password:
        if os.environ.get("STORE_URL"):
            pytest.skip("STORE_ADMIN_PASSWORD, the password of the store's admin, is not set")
        password = request.getfixturevalue("own_store").admin_password()
    email = os.environ.get("STORE_ADMIN_EMAIL", ADMIN_EMAIL)
    secret = os.environ.get("STORE_ADMIN_SECRET", "")
    return Staff(api, email=email, password=password, secret=secret)
