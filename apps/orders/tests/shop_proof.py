"""The invariants after every step of a machine."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from apps.orders.services.invariants import Check, Violation, checks

TABLE = re.compile(r'\b(?:FROM|JOIN)\s+"?([a-z]+_[a-z]+)\b')
WRITTEN = """
    SELECT relname, pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid)
        + pg_stat_get_tuples_deleted(oid)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


@dataclass
class Question:
    """What is asked of the database; `read` are the tables behind the last answer.

    The answer follows from the rows of these tables: it is the same for as long as PostgreSQL
    counts no row that was written into one of them.
    """

    check: Check
    read: dict[str, int] = field(default_factory=dict)

    def ask(self, written: dict[str, int]) -> list[Violation]:
        tables: set[str] = set()

        def note(execute: Any, sql: str, *rest: Any) -> Any:
            tables.update(TABLE.findall(sql))
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            wrong = list(self.check())
        self.read = {table: written[table] for table in tables}
        return wrong


class Proof:
    """What is wrong in the store since a moment."""

    def __init__(self, since: datetime) -> None:
        self.questions = [Question(check) for check in checks(placed_since=since)]

    def violations(self) -> list[Violation]:
        """Return what is wrong; nothing may be, before the next call."""
        written = rows_written()
        return [
            wrong
            for question in self.questions
            if not question.read or not question.read.items() <= written.items()
            for wrong in question.ask(written)
        ]


def rows_written() -> dict[str, int]:
    """Return of each table how many rows were ever written into it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(WRITTEN)
        return dict(cursor.fetchall())
