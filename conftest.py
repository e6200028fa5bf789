"""What all tests share: real servers, named in the first lines of the report."""

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker
from xdist.scheduler import LoadFileScheduling

from ecommerce.local.errors import CannotStart
from ecommerce.local.search_emulator import Emulator

# A busy machine is no fault of what is tested.
settings.register_profile("store", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("store")

# Garbage is collected seldom: as it is set for a small program, a tenth of the time went into that.
gc.set_threshold(50_000, 20, 20)

# What a flush would write anew each time, for a third of a second.
NEVER_CHANGES = {"django_migrations", "django_content_type", "auth_permission"}


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test on a database that nobody chose."""
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        raise pytest.UsageError(
            "The tests need the servers of DATABASE_URL and REDIS_URL. Run `make test`."
        )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is left alone with it at the end.

    Refuse two tests of one name: xdist would run one of them, and nobody would see.
    """
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    seen = Counter(item.nodeid for item in items)
    twice = [name for name, count in seen.items() if count > 1]
    if twice:
        raise pytest.UsageError(f"More than one test is called {twice[0]}.")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Let the parts of one long test run side by side; all else of a file has one process."""
    return FileOrPart(config, log) if config.getoption("dist") == "loadfile" else None


class FileOrPart(LoadFileScheduling):
    """Deals out files, and a test that is in parts part by part."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if "[part " in nodeid else super()._split_scope(nodeid)


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
    TransactionTestCase._fixture_teardown = empty_what_was_filled  # type: ignore[attr-defined]


def empty_what_was_filled(case: TransactionTestCase) -> None:
    """Flush the tables that hold rows, and those that refer to them."""
    names = set(connection.introspection.django_table_names(only_existing=True))
    asked = "SELECT '{0}' WHERE EXISTS (SELECT FROM {0})"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(map(asked.format, sorted(names - NEVER_CHANGES))))
        if filled := [name for (name,) in cursor]:
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")


@pytest.fixture
def enter() -> Callable[..., Client]:
    """Let somebody into the back office: for tests of apps that do not know people."""
    from apps.users.tests import factories

    return factories.enter


@pytest.fixture(scope="session")
def search_cluster_url() -> Iterator[str]:
    """Return the cluster of ELASTICSEARCH_URL, else an Elasticsearch-compatible emulator."""
    if given := os.environ.get("ELASTICSEARCH_URL"):
        yield given
        return
    try:
        emulator = Emulator()
        emulator.start()
    except CannotStart as error:
        pytest.skip(f"There is no Elasticsearch-compatible emulator here: {error}")
    try:
        yield emulator.url
    finally:
        emulator.remove()


@pytest.fixture
def search_cluster(search_cluster_url: str, settings: Any) -> Iterator[str]:
    """Have searches asked of a cluster, in which the test has indices of its own."""
    from apps.catalog.search import index

    settings.ELASTICSEARCH_URL = search_cluster_url
    settings.ELASTICSEARCH_INDEX = f"test-{uuid4().hex}"
    yield search_cluster_url
    settings.ELASTICSEARCH_URL = search_cluster_url
    index.remove(index.indices())
