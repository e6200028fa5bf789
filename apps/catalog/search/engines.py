"""Which engine answers."""

from collections.abc import Callable
from functools import cache

from django.conf import settings

from apps.catalog.search.breaker import Breaker
from apps.catalog.search.engine import Backend, Engine
from apps.catalog.search.fallback import Fallback
from apps.catalog.search.postgresql import PostgreSQL

FAILURES = 3  # in a row, before the cluster is left alone
REST = 5.0  # seconds for which it is
PLACES = 2  # searches that a process asks of PostgreSQL at a time in the cluster's place


def _elasticsearch() -> Engine:
    from apps.catalog.search import elasticsearch  # 57 MB, only where there is a cluster

    return elasticsearch.Elasticsearch()


ENGINES: dict[str, Callable[[], Engine]] = {
    "postgresql": PostgreSQL,
    "elasticsearch": _elasticsearch,
}


def engine_for_request() -> Engine:
    """Return the engine that a request asks."""
    if not settings.ELASTICSEARCH_URL:
        return PostgreSQL()
    return _cluster_or_postgresql(settings.ELASTICSEARCH_URL)


def engine_called(name: Backend) -> Engine:
    """Return an engine by its name, without another in its place."""
    if name == "postgresql":
        return PostgreSQL()
    from apps.catalog.search import elasticsearch  # 57 MB, only where there is a cluster

    return elasticsearch.Elasticsearch()


@cache
def _cluster_or_postgresql(url: str) -> Engine:
    """Return the engine of a process, which remembers how the cluster of this address is."""
    from apps.catalog.search import index  # 57 MB, only where there is a cluster

    return Fallback(
        _elasticsearch(),
        PostgreSQL(),
        failures=index.UNAVAILABLE,
        breaker=Breaker(failures=FAILURES, rest=REST),
        places=PLACES,
    )
