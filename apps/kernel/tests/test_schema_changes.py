"""Migrations beside a store that is selling: nobody waits long, and nothing is applied twice."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, migrations
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from apps.kernel import schema_changes
from apps.kernel.schema_changes import NotMigrated, invalid_indexes, migrate_online

pytestmark = pytest.mark.django_db(transaction=True)
LIMITS = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
ADD_COLUMN = "ALTER TABLE planted ADD COLUMN note text"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def planted() -> Iterator[None]:
    """A table of its own, with a few rows, that is gone afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE planted (id integer)")
        cursor.execute("INSERT INTO planted SELECT generate_series(1, 1000)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE planted")
    MigrationRecorder(connection).migration_qs.filter(name__startswith="planted").delete()


def plant(monkeypatch: pytest.MonkeyPatch, *operations: object, atomic: bool = True) -> None:
    """Have one pending migration with these operations, after all that are applied."""
    of_kernel = max(
        name for app, name in MigrationRecorder(connection).applied_migrations() if app == "kernel"
    )
    body = {"dependencies": [("kernel", of_kernel)], "operations": operations, "atomic": atomic}
    planted = type("Migration", (Migration,), body)
    add_migrations = MigrationExecutor.__init__

    def with_planted(executor: Any, *arguments: Any, **named: Any) -> None:
        add_migrations(executor, *arguments, **named)
        loader = executor.loader
        migration = planted("planted", "kernel")
        loader.disk_migrations["kernel", "planted"] = migration
        loader.graph.add_node(("kernel", "planted"), migration)
        loader.graph.add_dependency(migration, ("kernel", "planted"), ("kernel", of_kernel))

    monkeypatch.setattr(MigrationExecutor, "__init__", with_planted)
    monkeypatch.setattr(schema_changes, "call_command", lambda *_, **__: None)


def columns() -> list[str]:
    with connection.cursor() as cursor:
        return [
            column.name
            for column in connection.introspection.get_table_description(cursor, "planted")
        ]


class LongReport:
    """Somebody who has read the table and keeps the transaction open to the end, or for a while."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds
        self.over = threading.Event()
        self.reading = threading.Event()
        self.thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("BEGIN; SELECT count(*) FROM planted")
            self.reading.set()
            self.over.wait(self.seconds)
            cursor.execute("COMMIT")
        connections["default"].close()

    def __enter__(self) -> None:
        self.thread.start()
        self.reading.wait()

    def __exit__(self, *_: object) -> None:
        if self.seconds is None:
            self.over.set()
        self.thread.join()


def slowest_read(stop: threading.Event, waits: list[float]) -> None:
    with connections["default"].cursor() as cursor:
        while not stop.is_set():
            began = time.monotonic()
            cursor.execute("SELECT 1 FROM planted LIMIT 1")
            waits.append(time.monotonic() - began)
            time.sleep(0.01)
    connections["default"].close()


def test_without_anything_pending_nothing_happens(said: list[str]) -> None:
    assert migrate_online(say=said.append) == 0
    assert said == ["Nothing to migrate."]


def test_a_migration_behind_a_long_report_lets_readers_pass_and_is_applied_after_it(
    planted: None, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    plant(monkeypatch, migrations.RunSQL(ADD_COLUMN))
    stop = threading.Event()
    waits: list[float] = []
    reader = threading.Thread(target=slowest_read, args=(stop, waits))

    with LongReport(seconds=8):
        reader.start()
        applied = migrate_online(say=said.append)
    stop.set()
    reader.join()

    assert applied == 1
    assert columns() == ["id", "note"]
    assert any("somebody holds a lock that it needs" in line for line in said)
    assert max(waits) < 1.0


def test_a_lock_that_is_never_free_ends_it_with_what_to_do(
    planted: None, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    plant(monkeypatch, migrations.RunSQL(ADD_COLUMN))

    with LongReport(), pytest.raises(NotMigrated, match="end them, and run this again"):
        migrate_online(say=said.append, tries=2)

    assert columns() == ["id"]


def test_a_statement_that_holds_a_strong_lock_for_long_is_ended(
    planted: None, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(schema_changes, "STATEMENT_TIMEOUT_MS", 300)
    plant(monkeypatch, migrations.RunSQL(f"{ADD_COLUMN}; SELECT pg_sleep(5)"))

    with pytest.raises(NotMigrated, match=r"kernel\.planted failed: .*statement timeout"):
        migrate_online(say=said.append)

    assert columns() == ["id"]


def test_what_blocks_nobody_may_take_its_time(
    planted: None, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(schema_changes, "STATEMENT_TIMEOUT_MS", 100)
    plant(monkeypatch, migrations.RunSQL("SELECT pg_sleep(0.5)"), atomic=False)

    assert migrate_online(say=said.append) == 1


def test_an_index_whose_building_was_interrupted_is_removed_and_built_again(
    planted: None, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO planted VALUES (1)")
        with pytest.raises(IntegrityError):
            cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY planted_by_id ON planted (id)")
    assert invalid_indexes() == ["planted_by_id"]
    build = migrations.RunSQL("CREATE INDEX CONCURRENTLY planted_by_id ON planted (id)")
    plant(monkeypatch, build, atomic=False)

    migrate_online(say=said.append)

    assert "Removing planted_by_id: its building was interrupted." in said
    assert invalid_indexes() == []


def test_what_an_interrupted_migration_has_left_is_said(
    planted: None, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO planted VALUES (1)")
    build = migrations.RunSQL("CREATE UNIQUE INDEX CONCURRENTLY planted_by_id ON planted (id)")
    plant(monkeypatch, build, atomic=False)

    with pytest.raises(NotMigrated) as refusal:
        migrate_online(say=said.append)

    assert "kernel.planted failed: could not create unique index" in str(refusal.value)
    assert "what it did before that stays" in str(refusal.value)
    assert "The next run removes what is invalid: planted_by_id." in str(refusal.value)


@pytest.mark.parametrize(("atomic", "limits"), [(True, ("500ms", "5s")), (False, ("0", "0"))])
def test_a_migration_has_limits_of_its_own(
    planted: None,
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    atomic: bool,  # noqa: FBT001 - a parameter of pytest
    limits: tuple[str, str],
) -> None:
    seen: list[tuple[str, str]] = []

    def look(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(LIMITS)
            seen.append(cursor.fetchone())

    plant(monkeypatch, migrations.RunPython(look), atomic=atomic)

    migrate_online(say=said.append)

    assert seen == [limits]


def test_the_limits_of_the_connection_are_its_own_again_afterwards(
    planted: None, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    def limits() -> list[tuple[str]]:
        with connection.cursor() as cursor:
            cursor.execute(LIMITS)
            return list(cursor.fetchall())

    before = limits()
    plant(monkeypatch, migrations.RunSQL(ADD_COLUMN))
    migrate_online(say=said.append)

    assert limits() == before


def test_two_at_once_apply_it_once(planted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, migrations.RunSQL(f"{ADD_COLUMN}; SELECT pg_sleep(0.5)"))
    applied: list[int] = []

    def run() -> None:
        applied.append(migrate_online(say=lambda _: None))
        connections["default"].close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(applied) == [0, 1]
    assert columns() == ["id", "note"]


def test_who_waits_too_long_for_another_run_says_so() -> None:
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [schema_changes.ADVISORY_LOCK])
            held.set()
            free.wait()
        connections["default"].close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        with pytest.raises(CommandError, match="Another process is changing the schema"):
            call_command("migrate_online", wait=0.1)
    finally:
        free.set()
        thread.join()
