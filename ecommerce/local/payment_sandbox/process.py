"""Start and stop the sandbox as a process of its own, for tests and for the supervisor."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class DidNotStart(Exception):
    """The sandbox ended before it listened; what it wrote to stderr says why."""


@dataclass(slots=True)
class Sandbox:
    """A running sandbox. After `kill()`, `restart()` brings it back on the same port and state."""

    state_path: Path
    webhook_url: str
    secret_key: str
    webhook_secret: str
    port: int
    url: str = ""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """Return the process id."""
        if self._process is None:
            raise DidNotStart("The sandbox is not running.")
        return self._process.pid

    def restart(self) -> None:
        """Start it again. Raises: DidNotStart."""
        self.stop()
        command = [
            *(sys.executable, "-m", "ecommerce.local.payment_sandbox"),
            *("--port", str(self.port), "--state", str(self.state_path)),
            *("--webhook-url", self.webhook_url),
        ]
        secrets = {
            "STRIPE_SECRET_KEY": self.secret_key,
            "STRIPE_WEBHOOK_SECRET": self.webhook_secret,
        }
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | secrets, stdout=subprocess.PIPE, text=True
        )
        self.url = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not self.url:
            self.stop()
            raise DidNotStart(" ".join(command))
        self.port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        """End it as a supervisor does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does (kill -9)."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(timeout=5)
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


@contextmanager
def start(
    *,
    state_path: Path,
    webhook_url: str,
    secret_key: str,
    webhook_secret: str,
    port: int | None = None,
) -> Iterator[Sandbox]:
    """Run a sandbox that listens when the block begins and is gone when it ends.

    Without a port it takes a free one; an empty `webhook_url` means that no webhooks are sent.
    Raises: DidNotStart.
    """
    sandbox = Sandbox(state_path, webhook_url, secret_key, webhook_secret, port or 0)
    sandbox.restart()
    try:
        yield sandbox
    finally:
        sandbox.stop()
