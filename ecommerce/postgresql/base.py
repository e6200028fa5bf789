"""PostgreSQL with metrics, prepared statements where they are asked for, and a health check that
asks the server only when in doubt.
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from prometheus_client import Counter, Histogram
from psycopg import Cursor, OperationalError
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus

STATEMENTS = Histogram(
    "database_statement_duration_seconds",
    "What a statement took, seen from the process that sent it.",
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10),
)
CONNECTIONS = Counter("database_connections_opened", "Connections that were opened.")
CONNECTION_ERRORS = Counter("database_connection_errors", "Connections that were refused.")


class MeasuredCursor(CursorWrapper):
    """Times every statement, also one that fails."""

    def execute(self, sql: Any, params: Any = None) -> Any:
        """Send one statement."""
        started = time.perf_counter()
        try:
            return super().execute(sql, params)
        finally:
            STATEMENTS.observe(time.perf_counter() - started)

    def executemany(self, sql: Any, param_list: Any) -> Any:
        """Send a statement once for each set of parameters; it counts as one."""
        started = time.perf_counter()
        try:
            return super().executemany(sql, param_list)
        finally:
            STATEMENTS.observe(time.perf_counter() - started)


class JSONLoader(Loader):
    """Reads `json`, which only statements of our own return; Django's fields read `jsonb`."""

    def load(self, data: Buffer) -> Any:
        """Return the value."""
        return orjson.loads(data)


class PreparingCursor(Cursor[Any]):
    """Lets the server keep the plan of a statement for as long as the connection is open.

    In a transaction it does not: when a migration has changed the type of a column, the server
    refuses the plan, and only outside of one can the statement be sent again.
    """

    in_transactions = False

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Send one statement."""
        if not self.connection.autocommit:
            wanted = {} if self.in_transactions else {"prepare": False}
            return super().execute(query, params, **options | wanted)
        try:
            return super().execute(query, params, **options)
        except FeatureNotSupported:
            return super().execute(query, params, **options | {"prepare": False})


class AlwaysPreparingCursor(PreparingCursor):
    """Prepares in transactions, too: for statements whose results no migration changes."""

    in_transactions = True


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, which else sends `SELECT 1` before the first statement of every request."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return what a connection is opened with. Only a PreparingCursor prepares anything."""
        return {**super().get_connection_params(), "prepare_threshold": 0}

    @contextmanager
    def prepared(self, *, in_transactions: bool) -> Iterator[None]:
        """Prepare what is sent in this block, unless a tracer wants to see the statements."""
        self.ensure_connection()
        opened = self.connection
        factory = opened.cursor_factory
        if factory is base.Cursor:
            opened.cursor_factory = AlwaysPreparingCursor if in_transactions else PreparingCursor
        try:
            yield
        finally:
            opened.cursor_factory = factory

    def make_cursor(self, cursor: Any) -> MeasuredCursor:
        """Return a cursor whose statements are timed."""
        return MeasuredCursor(cursor, self)

    def get_new_connection(self, conn_params: Any) -> Any:
        """Open a connection, and count it."""
        CONNECTIONS.inc()
        try:
            opened = super().get_new_connection(conn_params)
        except OperationalError:
            CONNECTION_ERRORS.inc()
            raise
        opened.adapters.register_loader("json", JSONLoader)
        return opened

    def is_usable(self) -> bool:
        """Tell whether the connection still works.

        A server that ends an idle connection says so, and one that keeps it is silent: as long as
        nothing has arrived there is no need to ask.
        """
        return self._is_idle_and_silent() or bool(super().is_usable())

    def _is_idle_and_silent(self) -> bool:
        if self.connection is None or self.errors_occurred:
            return False
        if self.connection.info.transaction_status != TransactionStatus.IDLE:
            return False
        poll = select.poll()
        try:
            poll.register(self.connection.fileno(), select.POLLIN)
        except OperationalError:
            return False
        return not poll.poll(0)
