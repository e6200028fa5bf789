"""Changing the schema beside a store that is selling: bounded waits, retries, one at a time."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from psycopg.errors import DeadlockDetected, LockNotAvailable

# Who waits for a strong lock makes everybody behind wait, too: waiting is short and repeated.
LOCK_TIMEOUT_MS = 500
# An atomic migration holds its locks until it ends, so it may do what takes moments only.
STATEMENT_TIMEOUT_MS = 5_000
TRIES = 60
ADVISORY_LOCK = 7_305_231_001  # any number that nothing else in this database locks

Say = Callable[[str], None]


class NotMigrated(Exception):
    """The schema could not be brought up to date; the text says what to do."""


def migrate_online(*, say: Say, wait_seconds: float = 600, tries: int = TRIES) -> int:
    """Apply what is pending, so that sales go on meanwhile. Returns how many were applied.

    Atomic migrations get half a second for each lock, are tried again when somebody else holds it,
    and may run for seconds only. What is not atomic (an index that is built CONCURRENTLY, a
    constraint that is validated) blocks nobody, so it may take its time; an invalid index that an
    interrupted build has left is removed first. Two runs at once apply everything once. Afterwards
    come the commands of `AFTER_MIGRATIONS`, which bring rows in line with the release.

    Raises NotMigrated; what was applied until then stays, and the next run goes on from there.
    """
    with _alone(wait_seconds, say):
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not executor.loader.applied_migrations:
            say(f"The database is empty; applying {len(plan)} migrations.")
        for migration, _ in plan:
            _apply(migration, say=say, tries=tries)
        with _bounded(lock_ms=LOCK_TIMEOUT_MS, statement_ms=STATEMENT_TIMEOUT_MS):
            call_command("migrate", verbosity=0, interactive=False)  # permissions, content types
            for name in settings.AFTER_MIGRATIONS:
                call_command(name, verbosity=0)
    say(f"{len(plan)} migrations applied." if plan else "Nothing to migrate.")
    return len(plan)


def invalid_indexes() -> list[str]:
    """Return the indexes that an interrupted CREATE INDEX CONCURRENTLY has left, quoted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT indexrelid::regclass::text FROM pg_index
            WHERE NOT indisvalid AND NOT EXISTS (
                SELECT FROM pg_stat_progress_create_index building
                WHERE building.index_relid = indexrelid
            )
            ORDER BY 1
            """
        )
        return [name for (name,) in cursor.fetchall()]


def _apply(migration: Migration, *, say: Say, tries: int) -> None:
    name = f"{migration.app_label}.{migration.name}"
    for attempt in range(1, tries + 1):
        began = time.monotonic()
        try:
            _apply_once(migration, say)
        except DatabaseError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise NotMigrated(f"{name} failed: {_reason(migration, error)}") from error
            if attempt == tries:
                raise NotMigrated(
                    f"{name} could not get its locks in {tries} tries; look for long transactions "
                    "in pg_stat_activity, end them, and run this again."
                ) from error
            say(f"{name}: somebody holds a lock that it needs; try {attempt} of {tries}.")
            time.sleep(random.uniform(0.2, 1.0))  # noqa: S311 - only keeps two from meeting again
        else:
            say(f"{name}: applied in {time.monotonic() - began:.2f} s.")
            return


def _reason(migration: Migration, error: DatabaseError) -> str:
    """Return what PostgreSQL said, and what a migration that is not atomic has left behind."""
    said = str(error).strip()
    if migration.atomic:
        return said
    said += "\nIt is not atomic: what it did before that stays."
    if connection.is_usable() and (left := invalid_indexes()):
        said += f" The next run removes what is invalid: {', '.join(left)}."
    return said


def _apply_once(migration: Migration, say: Say) -> None:
    executor = MigrationExecutor(connection)
    target = (migration.app_label, migration.name)
    plan = [(migration, False)]
    if migration.atomic:
        with _bounded(lock_ms=LOCK_TIMEOUT_MS, statement_ms=STATEMENT_TIMEOUT_MS):
            executor.migrate([target], plan=plan)
        return
    with connection.cursor() as cursor:
        for index in invalid_indexes():
            say(f"Removing {index}: its building was interrupted.")
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
    with _bounded(lock_ms=0, statement_ms=0):
        executor.migrate([target], plan=plan)


@contextmanager
def _bounded(*, lock_ms: int, statement_ms: int) -> Iterator[None]:
    """Have these limits instead of the connection's own, until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false),"
            " set_config('statement_timeout', %s, false)",
            [str(lock_ms), str(statement_ms)],
        )
        try:
            yield
        finally:
            if connection.is_usable():
                cursor.execute("RESET lock_timeout; RESET statement_timeout")


@contextmanager
def _alone(wait_seconds: float, say: Say) -> Iterator[None]:
    """Let one process at a time change the schema. Raises NotMigrated when another goes on long."""
    deadline = time.monotonic() + wait_seconds
    with connection.cursor() as cursor:
        waited = False
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
            if cursor.fetchone() == (True,):
                break
            if time.monotonic() > deadline:
                raise NotMigrated(
                    "Another process is changing the schema; wait until it has ended."
                )
            if not waited:
                say("Waiting for another process that is changing the schema.")
                waited = True
            time.sleep(0.5)
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
