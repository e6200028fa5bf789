"""Which engine answers."""

from apps.catalog.search.engine import Engine
from apps.catalog.search.postgresql import PostgreSQL


def engine_for_request() -> Engine:
    """Return the engine that a request asks."""
    return PostgreSQL()
