"""A store of which every word is kept: what its processes write goes into files."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import psycopg
from mailbox_folder import Mailbox
from running_store import CHECKOUT, eventually, free_port

from ecommerce.local.environment import WITHOUT_RATE_LIMITS
from ecommerce.local.manage import variables_of
from ecommerce.local.state import State

PATIENCE = 60


class TalkingStore:
    """Web, one worker for all queues, beat and the payment sandbox, on servers of their own."""

    def __init__(self, folder: Path, variables: dict[str, str], sandbox_url: str) -> None:
        self._folder = folder
        self._variables = variables
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = f"http://{variables['BIND']}"
        self.sandbox_url = sandbox_url
        self.mailbox = Mailbox(folder / "state" / "mail")

    def start(self) -> None:
        """Migrate, load the sample catalog, start everything and wait until web is ready."""
        self._run("-m", "ecommerce.local.prepare", "--requirements", "requirements.txt")
        port = self.sandbox_url.rpartition(":")[2]
        hook = f"{self.url}/api/v1/hooks/payments/stripe"
        celery = ("-m", "celery", "--quiet", "-A", "ecommerce")
        schedule = str(self._folder / "schedule")
        self._launch(
            "sandbox",
            "-m",
            "ecommerce.local.payment_sandbox",
            f"--port={port}",
            f"--state={self._folder / 'sandbox.sqlite3'}",
            f"--webhook-url={hook}",
        )
        self._launch("web", "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "ecommerce.wsgi")
        self._launch(
            "worker",
            *celery,
            "worker",
            "-Q",
            "payments,shipping,mail,pictures,default,index",
            "--concurrency=2",
            "--without-gossip",
            "--without-mingle",
        )
        self._launch("beat", *celery, "beat", "--schedule", schedule, "--pidfile=")
        eventually(self._is_ready, bool, patience=PATIENCE)

    def stop(self) -> None:
        """End all processes as Kubernetes does."""
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()

    def written(self, *names: str) -> list[str]:
        """Return every line that web, worker and beat have written, or only those named."""
        wanted = names or ("web", "worker", "beat")
        return [line for name in wanted for line in self._file(name).read_text().splitlines()]

    def lines(self, *names: str, **fields: object) -> list[dict]:
        """Return the lines that have these fields. Every line has to be JSON."""
        lines = [json.loads(line) for line in self.written(*names)]
        return [line for line in lines if fields.items() <= line.items()]

    def wait_for(self, **fields: object) -> dict:
        """Return the first line with these fields, as soon as there is one."""
        return eventually(lambda: self.lines(**fields), bool, patience=PATIENCE)[0]

    def passwords(self) -> dict[str, str]:
        """Return the passwords in the addresses of its servers."""
        urls = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
        found = {name: urlsplit(self._variables[name]).password for name in urls}
        return {name: unquote(password) for name, password in found.items() if password}

    def in_database(self, statement: str) -> None:
        with psycopg.connect(self._variables["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(statement)

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/health/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _launch(self, name: str, *command: str) -> None:
        with self._file(name).open("wb") as output:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-W", "ignore:You're running the worker", *command],
                cwd=CHECKOUT,
                env=self._variables,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env=self._variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def talking_store(folder: Path, **changes: str) -> Iterator[TalkingStore]:
    """Give a store that is ready, with these variables changed."""
    folder.chmod(0o711)
    port, sandbox_port = free_port(), free_port()
    with ExitStack() as stack:
        state = State(folder / "state")
        stack.callback(state.remove)  # also what it keeps outside of the folder
        stack.callback(state.release)
        variables = stack.enter_context(variables_of(state))
        for name in ("media", "static"):
            (folder / "state" / name).mkdir(exist_ok=True)
        sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        own = {
            "BIND": f"127.0.0.1:{port}",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "STRIPE_API_BASE": sandbox_url,
            "ADMIN_PASSWORD": "not a secret of this store",
            "PYTHONUNBUFFERED": "1",
        }
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment = plain | variables | WITHOUT_RATE_LIMITS | own | changes
        store = TalkingStore(folder, environment, sandbox_url)
        stack.callback(store.stop)
        store.start()
        yield store
