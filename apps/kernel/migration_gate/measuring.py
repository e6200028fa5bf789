"""What each statement of a migration does to the tables that were there: locks, reads, rewrites."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import ActiveSqlTransaction

from apps.kernel.migration_gate.findings import Effect, Finding

# Locks that keep others from writing (and the last of them from reading), weakest first.
BLOCKING = (
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
# Their purpose is to let reads and writes through; and only they may refuse a transaction.
CONCURRENTLY = re.compile(
    r"\s*(CREATE|DROP|REINDEX)\s+(UNIQUE\s+)?(INDEX|TABLE)\s+CONCURRENTLY\b", re.IGNORECASE
)
DATA = re.compile(r"\s*(UPDATE|DELETE|MERGE|WITH|SELECT|INSERT)\b", re.IGNORECASE)
CHANGES = re.compile(r"\s*(UPDATE|DELETE|MERGE|WITH)\b", re.IGNORECASE)

# Sequential scans count what PostgreSQL reads itself, too: to validate, to build an index.
STATE = """
    SELECT c.oid, pg_relation_filenode(c.oid), pg_stat_get_xact_numscans(c.oid),
           array_remove(array_agg(l.mode), NULL)
    FROM pg_class c
    LEFT JOIN pg_locks l ON l.relation = c.oid AND l.pid = pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    WHERE c.oid = ANY(%s) GROUP BY c.oid
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `locks` are all that its transaction holds after it."""

    sql: str
    locks: dict[str, str]
    read: frozenset[str]
    rewritten: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Now:
    """The state of the tables at one moment, by their object id."""

    files: dict[int, int]
    scans: dict[int, int]
    locks: dict[int, str]


class Recorder:
    """An execute wrapper of Django's that measures what the statements do to some tables."""

    def __init__(self, connection: BaseDatabaseWrapper, tables: Mapping[int, str]) -> None:
        self.statements: list[Statement] = []
        self.unmeasured: list[str] = []
        self._connection = connection
        self._tables = tables

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: Any,
        params: Any,
        many: bool,  # noqa: FBT001 - Django's signature
        context: Any,
    ) -> Any:
        try:
            with self._transaction():
                before = self._now()
                result = execute(sql, params, many, context)
                self._record(str(sql), before, self._now())
        except DatabaseError as error:
            if self._connection.in_atomic_block or not isinstance(
                error.__cause__, ActiveSqlTransaction
            ):
                raise
            result = execute(sql, params, many, context)
            if not CONCURRENTLY.match(str(sql)):
                self.unmeasured.append(str(sql))
        return result

    def _record(self, sql: str, before: _Now, now: _Now) -> None:
        read = {oid for oid, scans in now.scans.items() if scans > before.scans[oid]}
        rewritten = {oid for oid, file in now.files.items() if file != before.files[oid]}
        self.statements.append(
            Statement(
                sql,
                {self._tables[oid]: mode for oid, mode in now.locks.items()},
                frozenset(self._tables[oid] for oid in read),
                frozenset(self._tables[oid] for oid in rewritten),
            )
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Locks can be seen only before the commit: give one to a statement that has none."""
        if self._connection.in_atomic_block:
            yield
            return
        with self._raw.transaction():
            yield

    @property
    def _raw(self) -> Any:
        """psycopg's connection: what is asked there is not measured again."""
        return self._connection.connection

    def _now(self) -> _Now:
        rows = self._raw.execute(STATE, [list(self._tables)]).fetchall()
        return _Now(
            {oid: file for oid, file, _, _ in rows},
            {oid: scans for oid, _, scans, _ in rows},
            {
                oid: max(blocking, key=BLOCKING.index)
                for oid, _, _, modes in rows
                if (blocking := [mode for mode in modes if mode in BLOCKING])
            },
        )


def waits(recorder: Recorder, *, atomic: bool) -> Iterator[Finding]:
    """Yield what makes others wait for a time that grows with a table, or that nothing bounds.

    A lock alone does not: it is asked for with a short patience, and let go when the transaction
    ends. It does when the transaction reads or writes a whole table while it has it.
    """
    for statement in recorder.statements:
        for table in sorted(statement.rewritten):
            yield _blocks(f"rewrites {table}", f"writes all of {table} again", statement)
        for table in sorted(statement.read - statement.rewritten):
            if statement.locks:
                yield _blocks(f"reads {table}", f"reads all of {table}", statement)
            elif CHANGES.match(statement.sql) or (atomic and DATA.match(statement.sql)):
                yield Finding(
                    Effect.BLOCKS,
                    f"backfills {table}",
                    f"One transaction goes through all of {table}; whoever needs a row that it has "
                    f"changed waits until its end: {_short(statement.sql)}",
                )
        if not atomic:
            for table, mode in sorted(statement.locks.items()):
                yield Finding(
                    Effect.BLOCKS,
                    f"locks {table}",
                    f"A migration that is not atomic waits as long as it has to for {mode}, and "
                    f"everybody behind it waits, too; make it atomic: {_short(statement.sql)}",
                )
    for sql in recorder.unmeasured:
        yield Finding(
            Effect.BLOCKS,
            "unmeasured",
            f"It refuses to run in a transaction, so nobody can see its locks: {_short(sql)}",
        )


def _blocks(code: str, work: str, statement: Statement) -> Finding:
    held = ", ".join(
        f"{'reads and writes' if mode == BLOCKING[-1] else 'writes'} of {table} ({mode})"
        for table, mode in sorted(statement.locks.items())
    )
    return Finding(Effect.BLOCKS, code, f"It {work}; so long wait {held}: {_short(statement.sql)}")


def _short(sql: str) -> str:
    words = " ".join(sql.split())
    return words if len(words) <= 160 else f"{words[:159]}…"
