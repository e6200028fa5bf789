"""Run migrations one by one on a scratch database and judge what each does to a running store."""

from collections.abc import Collection, Iterator
from itertools import chain

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from apps.kernel.migration_gate.findings import Effect, Finding, Verdict, verdict
from apps.kernel.migration_gate.measuring import Recorder, waits
from apps.kernel.migration_gate.schema import Known, demands, read_schema

Name = tuple[str, str]


def written_here(migration: Migration) -> bool:
    """Tell whether the migration is of this project, not of an installed package."""
    return type(migration).__module__.startswith(("apps.", "ecommerce."))


def judge(
    connection: BaseDatabaseWrapper, released: Collection[Name] | None = None
) -> Iterator[Verdict]:
    """Bring an empty database up to date, and yield a verdict on each migration that is new.

    The connection has to be the one of its alias: migrations find it by that name.

    `released` are the migrations of the release that still runs: what it knows of the schema
    must go on working. Without it every migration is judged as if it were a release of its own.
    """
    executor = MigrationExecutor(connection)
    if released is not None:
        executor.migrate(list(released))
        executor = MigrationExecutor(connection)
    state = executor.loader.project_state(sorted(executor.loader.applied_migrations))
    known = None if released is None else known_to(state)
    for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
        if written_here(migration):
            yield judge_one(executor, state, migration, known)
        else:
            executor.apply_migration(state, migration)


def known_to_release(connection: BaseDatabaseWrapper, released: Collection[Name]) -> Known:
    """Return what models read and write that these migrations have made."""
    return known_to(MigrationExecutor(connection).loader.project_state(list(released)))


def let_tables_be_emptied(connection: BaseDatabaseWrapper, known: Collection[str]) -> None:
    """Drop the foreign keys of all other tables than these.

    Code that knows only these puts no rows into the others, but between its tests Django empties
    the tables that it knows, and PostgreSQL refuses that where another one refers to them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname)
            FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
            WHERE contype = 'f' AND relname <> ALL (%s)
            """,
            [list(known)],
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


def known_to(state: ProjectState) -> Known:
    """Return the tables and columns that models of this state read and write."""
    return {
        model._meta.db_table: frozenset(
            field.column for field in model._meta.local_concrete_fields if field.column
        )
        for model in state.apps.get_models(include_auto_created=True)
    }


def judge_one(
    executor: MigrationExecutor, state: ProjectState, migration: Migration, released: Known | None
) -> Verdict:
    """Apply the migration to the executor's database, where `state` is, and return the verdict.

    `released` is what the release knows that runs meanwhile: all that is there, unless it is given.
    """
    connection, known_alone = executor.connection, known_to(state)
    known = known_alone if released is None else released
    before = read_schema(connection)
    recorder = Recorder(
        connection, {oid: table.name for oid, table in before.items() if table.name in known}
    )
    with connection.execute_wrapper(recorder):
        executor.apply_migration(state, migration)
    after = read_schema(connection)
    return verdict(
        migration,
        chain(
            waits(recorder, atomic=migration.atomic),
            demands(before, after, known),
            _leftovers(migration),
        ),
        alone=demands(before, after, known_alone),
    )


def _leftovers(migration: Migration) -> Iterator[Finding]:
    if not migration.atomic and len(migration.operations) > 1:
        yield Finding(
            Effect.STICKS,
            "mixes operations",
            "What is not atomic has one operation: after a failure in between, the first ones "
            "would stand in the way of the next try.",
        )
