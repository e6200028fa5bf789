"""Who may do what to the index at the same time. A process that dies gives its locks back."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from apps.kernel.errors import Conflict

WRITING = 7_316_550_791
REBUILDING = 7_316_550_792


class ReindexIsRunning(Conflict):
    """Another reindex is running."""

    code = "reindex_is_running"


@contextmanager
def writing() -> Iterator[None]:
    """Write what the index knows; beside others who do, never beside a change of indices."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [WRITING])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [WRITING])


@contextmanager
def changing_indices() -> Iterator[None]:
    """Take indices away, when nobody is in the middle of writing to them."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [WRITING])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [WRITING])
            cursor.execute("RESET lock_timeout")


@contextmanager
def rebuilding() -> Iterator[None]:
    """Make a new index, alone. Raises ReindexIsRunning."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [REBUILDING])
        if cursor.fetchone() == (False,):
            raise ReindexIsRunning("Another reindex is running.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [REBUILDING])
