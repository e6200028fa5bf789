"""A whole store in a folder of its own, started by its supervisor and seen from outside."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import psycopg
from mailbox_folder import Mailbox

from ecommerce.local.environment import WITHOUT_RATE_LIMITS

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE_AT_START = 120
PATIENCE_AT_STOP = 60
ARCHIVING = ("recovery archive", "pg_receivewal")  # beside the store, and longer than it

Answer = TypeVar("Answer")


def eventually(
    ask: Callable[[], Answer], accept: Callable[[Answer], object], *, patience: float
) -> Answer:
    """Ask until the answer is acceptable and return it; fails with the last answer."""
    deadline = time.monotonic() + patience
    while not accept(answer := ask()):
        assert time.monotonic() < deadline, f"within {patience:.0f} s only: {answer}"
        time.sleep(0.2)
    return answer


class RunningStore:
    """One store. Its processes are known by the STATE_DIR in their environment."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.state = folder / "state"
        self._port, self._sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.sandbox_url = f"http://127.0.0.1:{self._sandbox_port}"
        self._environment = (
            os.environ
            | WITHOUT_RATE_LIMITS
            | variables
            | {
                "PORT": str(self._port),
                "SANDBOX_PORT": str(self._sandbox_port),
                "STATE_DIR": str(self.state),
            }
        )
        self._output = folder / "run.log"
        self.supervisor: subprocess.Popen[bytes] | None = None

    # Life

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        with self._output.open("wb") as output:
            self.supervisor = subprocess.Popen(
                self._command("--end-with-parent", "run"),
                cwd=CHECKOUT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_AT_START
        while "Ctrl-C stops everything." not in self.output():
            assert self.supervisor.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it as Ctrl-C does; it has to run until then, end well and leave no process."""
        if self.supervisor is None:
            return
        ended_before = self.supervisor.poll() is not None
        self.supervisor.terminate()
        code, left = None, []
        try:
            with suppress(subprocess.TimeoutExpired):  # what it has written says where it waits
                code = self.supervisor.wait(PATIENCE_AT_STOP)
            left = self.processes()
        finally:
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert (ended_before, code, left) == (False, 0, []), self.output()[-10_000:]

    def restart(self, **variables: str) -> None:
        """Stop it and start it with other values of these variables."""
        self.stop()
        self._environment |= variables
        self.start()

    def remove(self) -> None:
        """Delete its data, also what the supervisor keeps outside the folder."""
        self._run("clean-data")

    # Looking in

    def output(self) -> str:
        """Return the last part of what the supervisor has printed."""
        lines = self._output.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if " INFO " not in line)[-20_000:]

    def processes(self, *words: str) -> list[int]:
        """Return its processes whose command has all the words, oldest first."""
        return sorted(pid for pid, _ in self._found(words))

    def main_process(self, *words: str) -> int:
        """Return the one of them that the supervisor has started itself, or 0."""
        assert self.supervisor is not None
        parents = [pid for pid, parent in self._found(words) if parent == self.supervisor.pid]
        return min(parents, default=0)

    def _found(self, words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        mark = f"STATE_DIR={self.state}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark not in (folder / "environ").read_bytes().split(b"\0"):
                    continue
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:  # it ended meanwhile
                continue
            beside = any(word in command for word in ARCHIVING)
            if state != "Z" and not beside and all(word in command for word in words):
                yield int(folder.name), int(parent)

    @property
    def mailbox(self) -> Mailbox:
        """Where it writes its mails."""
        return Mailbox(self.state / "mail")

    def admin_password(self) -> str:
        """Return the one-time password that its first start has shown."""
        return str(self._kept("secrets.json")["admin_password"])

    def variables(self) -> dict[str, str]:
        """Return the environment its processes run in."""
        return self._kept("environment.json")

    def _kept(self, name: str) -> dict[str, str]:
        content: dict[str, str] = json.loads((self.state / name).read_text())
        return content

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command in it."""
        return self._run("manage", *arguments)

    def recover(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a recovery command for its database."""
        return self._run("recovery", *arguments)

    @contextmanager
    def archiving(self) -> Iterator[None]:
        """Stream its database's log, in a process beside it."""
        with subprocess.Popen(
            self._command("--end-with-parent", "recovery", "archive"),
            cwd=CHECKOUT,
            env=self._environment,
        ) as archive:
            try:
                yield
            finally:
                archive.terminate()

    def ledger(self) -> list[dict]:
        """Return what the payment sandbox knows of every charge."""
        # It may be starting again, after it was killed.
        with httpx.Client(transport=httpx.HTTPTransport(retries=6), timeout=30) as http:
            answer = http.get(f"{self.sandbox_url}/_sandbox/ledger")
        return list(answer.raise_for_status().json()["charges"])

    def set_faults(self, **plan: object) -> None:
        """Have the payment sandbox fail by this plan; nothing named means no faults."""
        answer = httpx.post(f"{self.sandbox_url}/_sandbox/faults", json=plan, timeout=30)
        answer.raise_for_status()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "ecommerce.local", *arguments]

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments),
            cwd=CHECKOUT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running_store(**variables: str) -> Iterator[RunningStore]:
    """Give a store that is ready, and leave nothing of it.

    With DATABASE_URL it has a database of its own on that server, so that it begins empty.
    """
    folder = Path(tempfile.mkdtemp(prefix="store-"))
    folder.chmod(0o711)
    try:
        with _own_database() as database:
            store = RunningStore(folder, database | variables)
            try:
                store.start()
                yield store
            finally:
                try:
                    store.stop()
                finally:
                    store.remove()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _own_database() -> Iterator[dict[str, str]]:
    given = os.environ.get("DATABASE_URL")
    if not given:
        yield {}
        return
    name = f"store_{uuid4().hex}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield {"DATABASE_URL": urlunsplit(urlsplit(given)._replace(path=f"/{name}"))}
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
