"""What PostgreSQL and the two Redis servers tell of themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from redis import Redis
from redis.exceptions import RedisError

# Rows of other users are shown without their times, unless this user has the role pg_monitor.
DATABASE = """
SELECT
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int,
    pg_database_size(current_database()),
    coalesce((SELECT max(extract(epoch FROM now() - xact_start)) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
            AND pid <> pg_backend_pid()), 0),
    coalesce((SELECT extract(epoch FROM now() - last_archived_time) FROM pg_stat_archiver
        WHERE last_archived_time IS NOT NULL), -1),
    (SELECT failed_count FROM pg_stat_archiver),
    coalesce((SELECT max(CASE WHEN pg_is_in_recovery() THEN 0
        ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END)
        FROM pg_replication_slots), 0),
    deadlocks, xact_rollback, temp_bytes
FROM pg_stat_database WHERE datname = current_database()
"""
CONNECTIONS = """
SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' GROUP BY 1
"""
STATES = ("active", "idle", "idle in transaction")
QUEUES = ("payments", "shipping", "mail", "pictures", "default", "index")
PATIENCE = 1  # seconds


def database() -> list[Metric]:
    """Return connections, size, waits and what is kept for replicas and the archive."""
    with connection.cursor() as cursor:
        cursor.execute(DATABASE)
        most, size, longest, archived, failed, kept, deadlocks, rollbacks, spilled = (
            cursor.fetchone()
        )
        cursor.execute(CONNECTIONS)
        by_state = dict.fromkeys(STATES, 0) | dict(cursor.fetchall())
    connections = GaugeMetricFamily(
        "database_connections", "Connections to the server, by state.", labels=["state"]
    )
    for state, number in by_state.items():
        connections.add_metric([state], number)
    found: list[Metric] = [
        connections,
        GaugeMetricFamily("database_connections_max", "How many there may be.", value=most),
        GaugeMetricFamily("database_size_bytes", "Size on disk.", value=size),
        GaugeMetricFamily(
            "database_longest_transaction_seconds", "Age of the oldest.", value=longest
        ),
        GaugeMetricFamily(
            "database_slot_retained_bytes",
            "Log that is kept for the slowest replication slot.",
            value=kept,
        ),
        CounterMetricFamily("database_deadlocks", "Deadlocks.", value=deadlocks),
        CounterMetricFamily("database_rollbacks", "Transactions rolled back.", value=rollbacks),
        CounterMetricFamily("database_temp_bytes", "Written by large sorts.", value=spilled),
        CounterMetricFamily("database_archive_failures", "Failed to archive.", value=failed),
    ]
    if archived >= 0:  # a server without archive_command tells nothing
        found.append(
            GaugeMetricFamily("database_archive_age_seconds", "Since the last one.", value=archived)
        )
    return found


def redis() -> list[Metric]:
    """Return whether cache and broker answer, what they hold, and how long the queues are."""
    up = GaugeMetricFamily("redis_up", "1 while it answers.", labels=["server"])
    memory = GaugeMetricFamily("redis_memory_bytes", "In use.", labels=["server"])
    most = GaugeMetricFamily("redis_memory_max_bytes", "Allowed; 0: no limit.", labels=["server"])
    clients = GaugeMetricFamily("redis_clients", "Connected.", labels=["server"])
    evicted = CounterMetricFamily("redis_evicted_keys", "Thrown out.", labels=["server"])
    lookups = CounterMetricFamily(
        "redis_lookups", "Reads that found something, or nothing.", labels=["server", "result"]
    )
    queues = GaugeMetricFamily("celery_queue_messages", "Waiting in the broker.", labels=["queue"])
    addresses = {
        "cache": settings.REDIS_URL,
        "broker": settings.CELERY_BROKER_URL,
    }
    for name, address in addresses.items():
        try:
            with _server(address) as server:
                told = server.info()
                lengths = [server.llen(queue) for queue in QUEUES] if name == "broker" else []
        except RedisError:
            up.add_metric([name], 0)
            continue
        up.add_metric([name], 1)
        memory.add_metric([name], told["used_memory"])
        most.add_metric([name], told.get("maxmemory", 0))
        clients.add_metric([name], told["connected_clients"])
        evicted.add_metric([name], told["evicted_keys"])
        lookups.add_metric([name, "hit"], told["keyspace_hits"])
        lookups.add_metric([name, "miss"], told["keyspace_misses"])
        for queue, length in zip(QUEUES, lengths, strict=False):
            queues.add_metric([queue], length)
    return [up, memory, most, clients, evicted, lookups, queues]


@contextmanager
def _server(address: str) -> Iterator[Redis]:
    server = Redis.from_url(address, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    try:
        yield server
    finally:
        server.close()
