"""Where it is measured: PostgreSQL, Redis and web servers that exist for one run only."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from benchmarks.load import ask
from benchmarks.requests import get
from ecommerce.local.children import Child
from ecommerce.local.environment import (
    WITHOUT_RATE_LIMITS,
    store_environment,
    without_postgres_variables,
)
from ecommerce.local.errors import CannotStart
from ecommerce.local.servers import Servers, open_servers
from ecommerce.local.state import CHECKOUT, State, free_port
from ecommerce.local.testing import throwaway_folder

# What would lead to servers with somebody's data, or change what is measured.
FOREIGN = ("DATABASE_", "RATE_", "REDIS_", "CELERY_", "STRIPE_", "AWS_", "WEB_", "LOG_", "ANSWERS_")


@dataclass(frozen=True, slots=True)
class Place:
    """The servers of this run and the environment in which the store finds them."""

    folder: Path
    servers: Servers
    environment: Mapping[str, str]
    superuser_url: str

    @property
    def trees(self) -> dict[str, int]:
        """The root processes whose time counts beside the web server's."""
        postgres, redis = self.servers.database.child, self.servers.cache.child
        if postgres is None or redis is None or postgres.pid is None or redis.pid is None:
            raise RuntimeError("The servers are not ours, so their time cannot be read.")
        return {"postgres": postgres.pid, "redis": redis.pid}

    def with_variables(self, **variables: str) -> "Place":
        """Return the same place with other settings for the store."""
        return replace(self, environment={**self.environment, **variables})

    def python(self, *arguments: str) -> None:
        """Run Python in the store's environment. Raises CannotStart when it fails."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=CHECKOUT, env=self.environment, check=False
        )
        if done.returncode:
            raise CannotStart(f"{' '.join(arguments)} failed; the reason is above.")

    def execute(self, *statements: str) -> list[tuple[object, ...]]:
        """Execute statements as the superuser; return the rows of the last one."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextmanager
def place() -> Iterator[Place]:
    """Give running servers with an empty, migrated database; they vanish at the end.

    They keep their promises to the disk, as in production: a commit waits for it.
    """
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    with throwaway_folder() as folder:
        state = State(folder)
        servers = open_servers(state, logs=folder)
        try:
            environment = without_postgres_variables(os.environ) | WITHOUT_RATE_LIMITS
            environment |= {"ANSWERS_KEPT_SECONDS": "0"}
            environment |= store_environment(
                given={},
                servers=servers,
                secrets=state.secrets(),
                folder=folder,
                port=free_port(),
                sandbox_port=free_port(),
            )
            for name in ("metrics", "media", "static"):
                (folder / name).mkdir()
            password = state.secrets()["postgres_password"]
            address = servers.database.url.rpartition("@")[2]
            found = Place(
                folder, servers, environment, f"postgresql://postgres:{password}@{address}"
            )
            found.python("manage.py", "migrate", "--verbosity=0")
            yield found
        finally:
            for child in servers.children():
                child.stop(patience=20)


@contextmanager
def web(
    place: Place, application: str, *, probe: str, workers: int = 2, threads: int = 4
) -> Iterator[tuple[int, int]]:
    """Run gunicorn with the store's own configuration; give its port and its process id.

    Only the recycling of workers is off: a new worker in the middle would be measured, too.
    """
    port = free_port()
    child = Child(
        "web",
        [
            *(sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py"),
            *(f"--bind=127.0.0.1:{port}", f"--workers={workers}", f"--threads={threads}"),
            *("--max-requests=0", application),
        ],
        env=place.environment,
        cwd=CHECKOUT,
        death_signal=signal.SIGQUIT,
        log=place.folder / "web.log",
    )
    child.start()
    try:
        deadline = time.monotonic() + 30
        while not _answers(port, probe):
            if child.exit_code() is not None or time.monotonic() > deadline:
                raise CannotStart(f"{application} did not start: {child.last_words()}")
            time.sleep(0.1)
        yield port, child.pid or 0
    finally:
        child.stop(patience=10)


def _answers(port: int, path: str) -> bool:
    with suppress(OSError):
        return ask(port, get(path)).status == 200
    return False
