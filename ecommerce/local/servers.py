"""PostgreSQL and Redis for the local commands: those that are given, else those we start."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecommerce.local import postgres, redis_server
from ecommerce.local.children import Child, unprivileged_account
from ecommerce.local.state import State


@dataclass(frozen=True, slots=True)
class Server:
    """A server in use. `child` is None when it is not ours to stop."""

    url: str
    description: str
    child: Child | None


@dataclass(frozen=True, slots=True)
class Servers:
    """The two servers the store cannot do without."""

    database: Server
    cache: Server
    broker_url: str

    def describe(self) -> str:
        return f"{self.database.description} and {self.cache.description}"

    def children(self) -> list[Child]:
        """Return the processes that are ours to stop, in the order in which to stop them."""
        return [server.child for server in (self.cache, self.database) if server.child]


def open_database(
    state: State, *, throwaway: bool = False, log: Path | None = None, held: Sequence[int] = ()
) -> Server:
    """Use the PostgreSQL of DATABASE_URL, or start one on the state's data. Raises CannotStart."""
    if given := os.environ.get("DATABASE_URL"):
        description = postgres.describe_given(given)
        if throwaway:
            postgres.require_test_database(given)
        return Server(given, description, None)
    account = unprivileged_account()
    programs = postgres.find_programs(account)
    cluster = postgres.Cluster(
        state=state, account=account, programs=programs, throwaway=throwaway, log=log, held=held
    )
    _start(cluster)
    return Server(cluster.url, programs.describe(), cluster.child)


def open_cache(
    state: State, *, throwaway: bool = False, log: Path | None = None, held: Sequence[int] = ()
) -> Server:
    """Use the server of REDIS_URL, or start one on the state's data. Raises CannotStart."""
    if given := os.environ.get("REDIS_URL"):
        return Server(given, redis_server.describe_given(given), None)
    program = redis_server.find_program()
    server = redis_server.Server(
        state=state, program=program, throwaway=throwaway, log=log, held=held
    )
    _start(server)
    return Server(server.url, program.describe(), server.child)


def _start(server: postgres.Cluster | redis_server.Server) -> None:
    """Start the server, or leave nothing of it running."""
    try:
        server.start()
    except BaseException:
        server.child.stop(patience=10)
        raise


def open_servers(
    state: State, *, throwaway: bool = False, logs: Path | None = None, held: Sequence[int] = ()
) -> Servers:
    """Open both. `logs` is a folder for their output; without it the output is in pipes.

    Raises CannotStart, and then nothing is left running.
    """
    database = open_database(
        state, throwaway=throwaway, log=logs and logs / "postgres.log", held=held
    )
    try:
        cache = open_cache(state, throwaway=throwaway, log=logs and logs / "redis.log", held=held)
        broker = os.environ.get("CELERY_BROKER_URL") or redis_server.broker_url(cache.url)
    except BaseException:
        if database.child:
            database.child.stop(patience=10)
        raise
    return Servers(database, cache, broker)
