"""The invariants after every step of a machine."""

import re
from datetime import datetime
from typing import Any

from django.db import connection

from apps.orders.services.invariants import Violation, violations

TABLE = re.compile(r'\b(?:FROM|JOIN)\s+"?([a-z]+_[a-z]+)\b')
WRITTEN = """
    SELECT sum(pg_stat_get_tuples_inserted(t) + pg_stat_get_tuples_updated(t)
        + pg_stat_get_tuples_deleted(t)) FROM unnest(%s::regclass[]) t
"""


class Proof:
    """What is wrong in the store since a moment.

    The answer follows from the rows of the tables that were read for it: it is the same for as
    long as PostgreSQL counts no row that was written into one of them.
    """

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.read: set[str] = set()
        self.written: int | None = None

    def violations(self) -> list[Violation]:
        """Return what is wrong; nothing may be, before the next call."""
        if self.read and self._rows_written() == self.written:
            return []
        self.read.clear()
        with connection.execute_wrapper(self._note_tables):
            wrong = list(
                violations(ask_providers=False, workers_run=False, placed_since=self.since)
            )
        self.written = self._rows_written()
        return wrong

    def _note_tables(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.read.update(TABLE.findall(sql))
        return execute(sql, *rest)

    def _rows_written(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(WRITTEN, [sorted(self.read)])
            return cursor.fetchone()[0]
