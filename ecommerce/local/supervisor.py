"""`make run`: start the whole store, keep it running, stop it without leaving anything behind."""

import http.client
import os
import signal
import sys
import time
from collections import defaultdict
from types import FrameType
from urllib.parse import SplitResult, urlsplit

from ecommerce.local.children import Child, Guardian, adopt_orphans, reap_orphans
from ecommerce.local.environment import (
    ADMIN_EMAIL,
    store_environment,
    uses_sandbox,
    without_postgres_variables,
)
from ecommerce.local.errors import CannotStart
from ecommerce.local.output import Log
from ecommerce.local.servers import Servers, open_servers
from ecommerce.local.state import CHECKOUT, PREPARED, State, fingerprint, free_port, is_free

PATIENCE_AT_STOP = 10
PATIENCE_AT_START = 60
MOST_RESTARTS = 3
RESTART_WINDOW = 60
# What decides on migrations, sample catalog and static files.
PREPARED_FROM = ("apps", "ecommerce", "static", "templates", "requirements.txt")
# Apart, so that events wait neither for many payments nor for slow pictures, nor for a search
# cluster that hangs: name, queues, processes.
WORKERS = (
    ("worker", "default,mail", 1),
    ("payments", "payments,shipping", 2),
    ("pictures", "pictures,index", 2),
)


class StopRequested(BaseException):
    """Ctrl-C, or SIGTERM: not an Exception, so that no handler for errors swallows it."""


class Supervisor:
    """All processes of one running store."""

    def __init__(self, state: State, log: Log) -> None:
        self.state = state
        self.log = log
        self.port, self.sandbox_port = chosen_ports()
        self.sandboxed = uses_sandbox(os.environ)
        # Where those that serve no pages tell their figures; known only to whoever asks here.
        self.metrics_ports = {
            name: free_port() for name in (*(worker[0] for worker in WORKERS), "beat", "exporter")
        }
        self.first_start = True
        self.children: list[Child] = []  # in the order in which to stop them
        self._ends: dict[str, list[float]] = defaultdict(list)
        self._opening = True
        self._stopping = False
        self._guardian: Guardian | None = None

    def run(self) -> int:
        """Run the store until it is asked to stop. Returns the exit code of the command."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        adopt_orphans()
        try:
            self._start()
            self._watch()
        except StopRequested:
            return 0
        finally:
            self._stop()
        return 1

    # Start

    def _start(self) -> None:
        self.state.create()
        self.first_start = not self.state.read("environment.json")
        held = self.state.claim(
            on_wait=lambda: self.log.say("waiting for the previous store's processes to end")
        )
        require_free(self.port, "PORT")
        if self.sandboxed:
            require_free(self.sandbox_port, "SANDBOX_PORT")
        self.log.say("finding PostgreSQL and Redis")
        self._guardian = Guardian(held=[held])
        servers = open_servers(self.state, held=[held])
        self.children += servers.children()
        self._opening = False
        for child in self.children:
            self._attend(child)
        self.log.say(f"using {servers.describe()}")
        variables = store_environment(
            given=os.environ,
            servers=servers,
            secrets=self.state.secrets(),
            folder=self.state.folder,
            port=self.port,
            sandbox_port=self.sandbox_port,
        )
        environment = without_postgres_variables(os.environ) | variables
        # A database that was given may be another one than the last time.
        self._prepare(environment, held, known_database=servers.database.child is not None)
        self._start_processes(environment, held)
        self._wait_until_ready()
        self._start_beat(environment, held)
        self._start_exporter(environment, held)
        self.state.write("environment.json", variables)
        self.log.block(self._ready_text(servers, mails=urlsplit(variables["EMAIL_URL"])))

    def _child(self, name: str, *command: str, env: dict[str, str], held: int) -> Child:
        return Child(
            name,
            [sys.executable, *command],
            env=env,
            cwd=CHECKOUT,
            # Killed without warning we do not wait for open requests and tasks: all are repeatable.
            death_signal=signal.SIGQUIT,
            held=[held],
        )

    def _prepare(self, environment: dict[str, str], held: int, *, known_database: bool) -> None:
        """Migrate and load, unless nothing has changed since that was done to this database."""
        now = fingerprint(*(CHECKOUT / name for name in PREPARED_FROM))
        if known_database and self.state.read(PREPARED) == {"sources": now}:
            self.log.say("database, catalog and static files are up to date")
            return
        self.state.forget(PREPARED)
        self.log.say("migrating and loading the catalog")
        for name in ("media", "static"):
            (self.state.folder / name).mkdir(exist_ok=True)
        child = self._child(
            "prepare",
            "-m",
            "ecommerce.local.prepare",
            "--requirements",
            str(CHECKOUT / "requirements.txt"),
            env=environment | {"ADMIN_PASSWORD": self.state.secrets()["admin_password"]},
            held=held,
        )
        self._launch(child)
        while child.exit_code() is None:
            self._pump()
        self.log.pump()
        self.children.remove(child)
        self._forget(child)
        if child.exit_code() != 0:
            raise CannotStart("The store could not be prepared; the reason is above.")
        if known_database:
            self.state.write(PREPARED, {"sources": now})

    def _start_processes(self, environment: dict[str, str], held: int) -> None:
        self.log.say(
            "starting " + ("payment sandbox, " if self.sandboxed else "") + "workers, web and beat"
        )
        if self.sandboxed:
            self._launch(
                self._child(
                    "sandbox",
                    "-m",
                    "ecommerce.local.payment_sandbox",
                    f"--port={self.sandbox_port}",
                    f"--state={self.state.folder / 'sandbox.sqlite3'}",
                    f"--webhook-url=http://127.0.0.1:{self.port}/api/v1/hooks/payments/stripe",
                    env=environment,
                    held=held,
                )
            )
        for name, queues, concurrency in WORKERS:
            self._launch(
                self._child(
                    name,
                    *("-W", "ignore:You're running the worker with superuser"),
                    *("-m", "celery", "--quiet", "-A", "ecommerce", "worker"),
                    *("-n", f"{name}@%h", "-Q", queues, f"--concurrency={concurrency}"),
                    *("--loglevel=INFO", "--without-gossip", "--without-mingle"),
                    env=environment | self._metrics_port(name),
                    held=held,
                )
            )
        self._launch(
            self._child(
                "web",
                *("-m", "gunicorn", "-c", "config/gunicorn.conf.py", "ecommerce.wsgi"),
                env={"PROMETHEUS_MULTIPROC_DIR": str(self.state.folder / "metrics")} | environment,
                held=held,
            )
        )

    def _start_beat(self, environment: dict[str, str], held: int) -> None:
        # Not inside the worker, which would not notice its death; and last, because it only
        # wakes the others and its start would slow theirs down.
        self._launch(
            self._child(
                "beat",
                *("-m", "celery", "--quiet", "-A", "ecommerce", "beat", "--loglevel=INFO"),
                *("-s", str(self.state.folder / "celerybeat-schedule"), "--pidfile="),
                env=environment | self._metrics_port("beat"),
                held=held,
            )
        )

    def _start_exporter(self, environment: dict[str, str], held: int) -> None:
        self._launch(
            self._child(
                "exporter",
                *("manage.py", "export_metrics"),
                env=environment | self._metrics_port("exporter"),
                held=held,
            )
        )

    def _metrics_port(self, name: str) -> dict[str, str]:
        return {"METRICS_HOST": "127.0.0.1", "METRICS_PORT": str(self.metrics_ports[name])}

    def _launch(self, child: Child) -> None:
        child.start()
        self._attend(child)
        self.children.insert(0, child)

    def _attend(self, child: Child) -> None:
        self.log.watch(child)
        if self._guardian:
            self._guardian.watch(child)

    def _forget(self, child: Child) -> None:
        if self._guardian:
            self._guardian.forget(child)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_AT_START
        while not answers_ready(self.port):
            if time.monotonic() > deadline:
                raise CannotStart(f"The web process did not answer within {PATIENCE_AT_START} s.")
            self._tend()

    def _ready_text(self, servers: Servers, *, mails: SplitResult) -> str:
        address = f"http://127.0.0.1:{self.port}"
        password = (
            f"password {self.state.secrets()['admin_password']} (shown only this once)"
            if self.first_start
            else "password shown at the first start; `make admin-password` makes a new one"
        )
        sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        rows = {
            "Store": f"{address}/",
            "API docs": f"{address}/api/v1/docs",
            "Admin": f"{address}/admin/",
            "": f"{ADMIN_EMAIL}, {password}",
            " ": "the first login sets a second factor up; no app at hand? `make admin-code`",
            "Payments": f"sandbox at {sandbox}" if self.sandboxed else "as STRIPE_… says",
            "Mails": f"files in {mails.path}" if mails.scheme == "file" else "as EMAIL_URL says",
            "Database": servers.database.description,
            "Cache and broker": servers.cache.description,
            "Metrics": f"{address}/metrics, and /metrics on the ports "
            + ", ".join(f"{port} ({name})" for name, port in self.metrics_ports.items()),
        }
        lines = [f"  {name:16}  {value}" for name, value in rows.items()]
        self.log.say("ready")
        return "\n".join(["", *lines, "", "  Ctrl-C stops everything.", ""])

    # Watch

    def _watch(self) -> None:
        while True:
            self._tend()

    def _tend(self) -> None:
        """Show output for a moment, then restart what has died."""
        self._pump()
        for child in tuple(self.children):
            code = child.exit_code()
            if code is not None:
                child.end_group()
                self._on_end(child, code)
        reap_orphans(self.children)

    def _on_end(self, child: Child, code: int) -> None:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if child.name in ("postgres", "redis"):
            raise CannotStart(f"{child.name} ended ({how}); the store cannot go on without it.")
        now = time.monotonic()
        recent = [end for end in self._ends[child.name] if now - end < RESTART_WINDOW]
        if len(recent) >= MOST_RESTARTS:
            raise CannotStart(
                f"{child.name} ended {len(recent) + 1} times within {RESTART_WINDOW} s "
                f"(last: {how}); its own lines above say why."
            )
        self._ends[child.name] = [*recent, now]
        self.log.say(f"{child.name} ended ({how}); starting it again")
        self._forget(child)
        child.start()
        self._attend(child)

    def _pump(self) -> None:
        """Show output for a moment. Raises StopRequested when we were asked to stop."""
        self.log.pump(0.1)
        if self._stopping:
            raise StopRequested

    # Stop

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:  # asked again: whoever waits wants it now
            for child in self.children:
                child.end_group()
            return
        self._stopping = True
        # Raised while it asks whether a child runs, `Popen` would never give its lock back, and
        # waiting for that child never end. While the servers open, waits are long and asks are few.
        if self._opening:
            raise StopRequested

    def _stop(self) -> None:
        self._stopping = True
        if self.children:
            self.log.say("stopping")
        for child in self.children:
            child.stop(patience=PATIENCE_AT_STOP, meanwhile=self.log.pump)
            self._forget(child)
        self.log.pump()
        reap_orphans(self.children)
        if self._guardian:
            self._guardian.dismiss()
        if self.children:
            self.log.say("stopped")


def chosen_ports() -> tuple[int, int]:
    """Return the ports of the web process and the sandbox. Raises CannotStart."""
    port = _port_named("PORT", default=8000)
    return port, _port_named("SANDBOX_PORT", default=port + 1)


def _port_named(name: str, *, default: int) -> int:
    word = os.environ.get(name) or str(default)
    if not word.isdecimal() or not 0 < int(word) < 65536:
        raise CannotStart(f"{name} must be a port number from 1 to 65535, not {word!r}.")
    return int(word)


def require_free(port: int, name: str) -> None:
    """Raises CannotStart, naming the variable to change, when the port is taken."""
    if not is_free(port):
        raise CannotStart(
            f"Port {port} is taken by another program; choose another one, "
            f"for example `make run {name}={port + 100}`."
        )


def answers_ready(port: int) -> bool:
    """Tell whether the web process and its database are up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
