"""PostgreSQL with metrics, and with a health check that asks the server only when in doubt."""

import select

from django_prometheus.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, which else sends `SELECT 1` before the first statement of every request."""

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
