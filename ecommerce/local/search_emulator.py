"""An Elasticsearch-compatible emulator on this machine, for tests. It is not Elasticsearch."""

import shutil
import socket
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import httpx

from ecommerce.local.children import Child, run_as
from ecommerce.local.errors import CannotStart

PATIENCE = 10  # seconds


def find_program() -> Path:
    """Return the emulator's program. Raises CannotStart where it does not run."""
    wheel = find_spec("noida_db")
    program = wheel and wheel.origin and Path(wheel.origin).with_name("noida-db")
    if not program or not program.exists():
        raise CannotStart("The wheel noida-db is not installed.")
    try:
        answer = run_as([program, "version"], None)
    except OSError as error:
        raise CannotStart(f"{program} cannot be run: {error}.") from None
    if answer.returncode:
        raise CannotStart(f"{program} does not run here: {answer.stderr.strip()}")
    return program


class Emulator:
    """One emulator on a loopback port. It ends with us; `remove` leaves nothing of it.

    It opens a second loopback port of its own choice, and keeps its data in a folder, so that it
    may be killed and started again.
    """

    def __init__(self) -> None:
        self._program = find_program()
        self._folder = Path(tempfile.mkdtemp(prefix="search-emulator-"))
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._child = self._new_child()

    def start(self) -> None:
        """Start it and wait until it answers. Raises CannotStart."""
        self._child = self._new_child()
        self._child.start()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                httpx.get(self.url, timeout=1).raise_for_status()
                return
            except httpx.HTTPError as error:
                if self._child.exit_code() is not None:
                    raise CannotStart(
                        f"The emulator did not start: {self._child.last_words()}"
                    ) from None
                if time.monotonic() > deadline:
                    self._child.stop(patience=0)
                    raise CannotStart(f"The emulator does not answer: {error}") from None
                time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The id of its process, for whoever wants to hurt it."""
        if self._child.pid is None:
            raise RuntimeError("The emulator was not started.")
        return self._child.pid

    def stop(self, *, patience: float = 5) -> None:
        """End its process; without patience, kill it."""
        self._child.stop(patience=patience)

    def remove(self) -> None:
        """End it and delete its data."""
        self.stop(patience=0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _new_child(self) -> Child:
        return Child(
            "search emulator",
            [
                *(self._program, "start", "--data-dir", self._folder),
                *("--only", "elasticsearch", "--elasticsearch-port", str(self.port)),
            ],
            log=self._folder / "log",
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
