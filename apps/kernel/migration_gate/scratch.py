"""A database of its own for as long as a check takes, in the place of the default connection."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

ALIAS = "default"  # migrations that work on rows name the connection's alias


@contextmanager
def scratch_database() -> Iterator[BaseDatabaseWrapper]:
    """Give an empty database on the default server; its name begins with `test_`.

    The role of DATABASE_URL has to be allowed to create databases.
    """
    real = connections[ALIAS]
    name = f"test_migrations_{os.getpid()}_{uuid4().hex[:8]}"
    with real._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    scratch = real.copy(ALIAS)
    scratch.settings_dict = real.settings_dict | {"NAME": name, "CONN_MAX_AGE": 0}
    connections[ALIAS] = scratch
    try:
        yield scratch
    finally:
        scratch.close()
        connections[ALIAS] = real
        with real._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
