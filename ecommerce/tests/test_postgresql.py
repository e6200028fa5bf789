"""The promises of persistent connections: no statement to check them, no request lost to them."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, connections

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def health_checks() -> Iterator[None]:
    """Check the connection at the start of every request, as the store does."""
    connection.ensure_connection()
    before = vars(connections["default"])["health_check_enabled"]
    vars(connections["default"])["health_check_enabled"] = True
    yield
    vars(connections["default"])["health_check_enabled"] = before


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def as_another(statement: str) -> object:
    database = connection.settings_dict
    with psycopg.connect(
        os.environ["DATABASE_URL"], dbname=database["NAME"], autocommit=True
    ) as other:
        row = other.execute(statement.encode()).fetchone()
        return row[0] if row else None


def last_statement_of(process: int) -> object:
    return as_another(f"SELECT query FROM pg_stat_activity WHERE pid = {process}")  # noqa: S608


def test_an_idle_connection_is_checked_without_a_statement():
    process = server_process()

    connection.close_if_unusable_or_obsolete()

    assert connection.is_usable()
    assert last_statement_of(process) == "SELECT pg_backend_pid()"


def test_a_connection_that_the_server_has_ended_is_replaced_before_the_next_request():
    process = server_process()
    as_another(f"SELECT pg_terminate_backend({process}, 5000)")

    connection.close_if_unusable_or_obsolete()

    assert not connection.is_usable()
    assert server_process() != process


def test_a_connection_that_was_closed_on_this_side_is_not_usable():
    server_process()
    connection.connection.close()

    assert not connection.is_usable()
    connection.close()


def test_a_server_that_only_talks_is_asked_and_stays_in_use():
    process = server_process()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN news")
    as_another("SELECT pg_notify('news', 'hello')")

    assert connection.is_usable()
    assert last_statement_of(process) == "SELECT 1"
    assert server_process() == process


def test_after_an_error_the_server_is_asked():
    process = server_process()
    connection.errors_occurred = True

    assert connection.is_usable()
    assert last_statement_of(process) == "SELECT 1"
    connection.errors_occurred = False
