"""What all tests share: real servers, named in the first lines of the report."""

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test on a database that nobody chose."""
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        raise pytest.UsageError(
            "The tests need the servers of DATABASE_URL and REDIS_URL. Run `make test`."
        )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse two tests of one name: xdist would run one of them, and nobody would see."""
    seen = Counter(item.nodeid for item in items)
    twice = [name for name, count in seen.items() if count > 1]
    if twice:
        raise pytest.UsageError(f"More than one test is called {twice[0]}.")


def pytest_report_header(config: pytest.Config) -> str:
    """Name the servers in use."""
    return f"servers: {os.environ.get('SERVERS_IN_USE', 'as DATABASE_URL and REDIS_URL say')}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests of several connections empty the audit log, which nobody else can.

    And let no test that counts statements meet the moment in which a process reads its keys again.
    """
    from apps.users.selectors.signing_keys import keys

    keys.remembered_for = timedelta(days=1)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("GRANT TRUNCATE ON kernel_auditentry TO CURRENT_USER")
        cursor.execute(
            "ALTER TABLE kernel_auditentry DISABLE TRIGGER pgtrigger_audit_log_is_not_emptied_39436"
        )


@pytest.fixture
def enter() -> Callable[..., Client]:
    """Let somebody into the back office: for tests of apps that do not know people."""
    from apps.users.tests import factories

    return factories.enter
