"""The promises of persistent connections: no statement to check them, no request lost to them, and
plans that are kept.
"""

import os
import select
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, connections, transaction
from django.db.backends.postgresql.base import Cursor

from apps.kernel.prepared import prepared

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
        answer = other.execute(statement.encode())
        row = answer.fetchone() if answer.description else None
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
    assert select.select([connection.connection.fileno()], [], [], 10)[0]

    assert connection.is_usable()
    assert last_statement_of(process) == "SELECT 1"
    assert server_process() == process


def test_after_an_error_the_server_is_asked():
    process = server_process()
    connection.errors_occurred = True

    assert connection.is_usable()
    assert last_statement_of(process) == "SELECT 1"
    connection.errors_occurred = False


COUNTED = "SELECT count(number) + %s::int, max(number) FROM numbers"


@pytest.fixture
def numbers() -> Iterator[None]:
    """A table that another session may change."""
    as_another("CREATE TABLE numbers (number int)")
    yield
    as_another("DROP TABLE numbers")


def send(statement: str = COUNTED) -> list[object]:
    answers = []
    for more in range(6):
        with connection.cursor() as cursor:
            cursor.execute(statement, [more])
            answers.append(cursor.fetchone()[0])
    return answers


def plans_kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("numbers")
def test_what_is_sent_again_and_again_is_planned_once_where_that_is_wanted():
    connection.close()

    assert send() == [0, 1, 2, 3, 4, 5]
    assert plans_kept() == 0
    with prepared():
        assert send() == [0, 1, 2, 3, 4, 5]
    assert plans_kept() == 1


@pytest.mark.usefixtures("numbers")
def test_nothing_is_prepared_in_a_transaction():
    connection.close()

    with transaction.atomic(), prepared():
        send()
        assert plans_kept() == 0


TYPED = "SELECT count(number) + %s::int, max(number)::int FROM numbers"


@pytest.mark.usefixtures("numbers")
def test_a_statement_that_says_its_types_is_prepared_in_a_transaction_and_outlives_a_migration():
    connection.close()
    with prepared(in_transactions=True):
        with transaction.atomic():
            assert send(TYPED) == [0, 1, 2, 3, 4, 5]
            assert plans_kept() == 2  # the question itself is one

        as_another("ALTER TABLE numbers ALTER COLUMN number TYPE bigint")

        with transaction.atomic():
            assert send(TYPED) == [0, 1, 2, 3, 4, 5]


@pytest.mark.usefixtures("numbers")
def test_a_prepared_statement_outlives_a_migration_that_changes_a_type():
    connection.close()
    with prepared():
        send()

        as_another("ALTER TABLE numbers ALTER COLUMN number TYPE bigint")

        assert send() == [0, 1, 2, 3, 4, 5]


@pytest.mark.usefixtures("numbers")
def test_a_tracer_sees_every_statement():
    connection.ensure_connection()
    opened = connection.connection

    class Traced(Cursor):
        seen = 0

        def execute(self, *arguments):
            Traced.seen += 1
            return super().execute(*arguments)

    opened.cursor_factory = Traced
    with prepared():
        assert send() == [0, 1, 2, 3, 4, 5]

    assert opened.cursor_factory is Traced
    assert Traced.seen == 6
    connection.close()
