"""A PostgreSQL of a test's own, its archive, and what may happen to both."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from ecommerce.local.children import unprivileged_account
from ecommerce.local.postgres import Cluster, Programs, find_programs
from ecommerce.local.state import CHECKOUT, State
from ecommerce.recovery.programs import Tools
from ecommerce.recovery.repository import Repository

PATIENCE = 30


def until(true: Callable[[], object], *, patience: float = PATIENCE) -> None:
    """Wait until it is true; fail when that takes too long."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, true
        time.sleep(0.05)


class Database:
    """One cluster of one table in a folder."""

    def __init__(self, folder: Path, programs: Programs | None = None) -> None:
        self.state = State(folder)
        self.state.create()
        account = unprivileged_account()
        self.cluster = Cluster(
            state=self.state,
            account=account,
            programs=programs or find_programs(account),
            throwaway=True,
        )
        self.tools = Tools(self.cluster.programs, account)
        self.backups = folder / "backups"
        self.tools.make_folder(self.backups)
        self._archive: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> str:
        password = self.state.secrets()["postgres_password"]
        return f"postgresql://postgres:{password}@127.0.0.1:{self.cluster.port}/postgres"

    @property
    def repository(self) -> Repository:
        return Repository(self.backups, tools=self.tools, server=self.server)

    def start(self) -> None:
        self.cluster.start()

    def stop(self) -> None:
        self.cluster.child.stop(patience=10)

    def lose(self) -> None:
        """kill -9 the server and delete its data."""
        os.kill(self.cluster.child.pid, signal.SIGKILL)
        self.cluster.child.stop(patience=0)
        shutil.rmtree(self.cluster.data)

    def restore(self, *, to: datetime | None = None) -> None:
        """Restore by the command, and start what came of it."""
        self.repository.restore(to=to, into=str(self.cluster.data))
        self.start()

    # What is in it

    def run(self, statement: str) -> None:
        with self._connection() as connection:
            connection.execute(statement)

    def ask(self, question: str) -> object:
        with self._connection() as connection:
            return connection.execute(question).fetchone()[0]

    def add(self, rows: int) -> None:
        """Commit so many rows more, of a hundred bytes each."""
        with self._connection() as connection, connection.transaction():
            connection.execute("CREATE TABLE IF NOT EXISTS orders (id bigserial, text text)")
            connection.execute(
                "INSERT INTO orders (text) SELECT repeat('x', 80) FROM generate_series(1, %s)",
                [rows],
            )

    def _connection(self) -> psycopg.Connection:
        # The throw-away server would answer before a commit is on its disk.
        options = "-c synchronous_commit=on"
        return psycopg.connect(self.server, autocommit=True, options=options)

    def count(self) -> object:
        return self.ask("SELECT count(*) FROM orders")

    def now(self) -> datetime:
        return self.ask("SELECT clock_timestamp()")

    # Its archive

    def start_archive(self) -> None:
        """Stream the log, and wait until there is a backup."""
        command = [sys.executable, "-m", "ecommerce.recovery", f"--target={self.backups}"]
        self._archive = subprocess.Popen(
            [*command, f"--server={self.server}", "archive"],
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
        )
        until(lambda: self.repository.bases() and self.repository.streams())

    def stop_archive(self) -> int:
        assert self._archive is not None
        self._archive.terminate()
        return self._archive.wait(PATIENCE)

    def archived(self) -> bool:
        """Tell whether the archive has all that was written."""
        behind = (
            "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), restart_lsn)"
            " FROM pg_replication_slots WHERE slot_name = 'archive' AND active"
        )
        return self.ask(behind) == 0


@dataclass
class Lost:
    """A cluster without its data. Before `moment` it had 3,100 rows; all were deleted, 10 added."""

    database: Database
    moment: datetime

    def log(self) -> list[Path]:
        """Return the files of the log, oldest first; the last one is not complete."""
        repository = self.database.repository
        return sorted(repository.wal_of(repository.bases()[0]).iterdir())
