"""Several instances of a release behind the gateway, and how they are replaced one at a time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy

import httpx
import toolbox
from releases import Release
from running_store import eventually, free_port

INSTANCES = 3
# As in the cluster: taken out of the gateway first, asked to end when nobody comes any more.
PRE_STOP_SECONDS = 1.5
GRACE_SECONDS = 45
WORKERS = {"payments": "payments,shipping", "events": "default", "files": "pictures,mail"}


@dataclass
class Process:
    """A process of a release."""

    release: Release
    popen: subprocess.Popen[bytes]
    port: int = 0

    def end(self, *, number: int = signal.SIGTERM) -> float:
        """Signal it and wait. Returns how many seconds it took."""
        began = time.monotonic()
        self.popen.send_signal(number)
        self.popen.wait(GRACE_SECONDS)
        return time.monotonic() - began


@dataclass
class Fleet:
    """The gateway, the instances behind it, and the workers."""

    folder: Path
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    web: list[Process] = field(default_factory=list)
    workers: dict[str, Process] = field(default_factory=dict)
    release_of: dict[int, int] = field(default_factory=dict)
    stop_seconds: list[float] = field(default_factory=list)
    gateway: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # Life

    def start(self, release: Release) -> None:
        """Start everything with this release."""
        for file in (toolbox.CHECKOUT / "config" / "nginx").glob("*.conf"):
            copy(file, self.folder)
        (self.folder / "listen.conf").write_text(f"listen 127.0.0.1:{self.port} backlog=511;\n")
        self.web = [self._start_web(release) for _ in range(INSTANCES)]
        for instance in self.web:
            self._wait_until_ready(instance)
        self._write_upstream()
        # The gateway's configuration is the committed one, but for what belongs to the machine.
        main = self.folder / "nginx.conf"
        text = main.read_text().replace("/tmp/", f"{self.folder}/")  # noqa: S108
        text = text.replace("/dev/stdout", f"{self.folder}/access.log")
        main.write_text("daemon off;\nuser root;\n" + text if os.geteuid() == 0 else text)
        with (self.folder / "gateway.log").open("wb") as log:
            self.gateway = subprocess.Popen(self._nginx(), stderr=log)
        self._start_workers(release)
        eventually(self._answers, bool, patience=20)

    def end(self) -> None:
        """End every process."""
        if self.gateway:
            self.gateway.terminate()
            self.gateway.wait(20)
        for process in [*self.web, *self.workers.values()]:
            if process.popen.poll() is None:
                process.popen.terminate()
        for process in [*self.web, *self.workers.values()]:
            try:
                process.popen.wait(60)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()

    # Releases

    def manage(self, release: Release, *words: str) -> str:
        """Run a management command of a release. Returns what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=release.folder,
            env=dict(self.settings),
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def roll(self, release: Release) -> None:
        """Migrate, then replace instance by instance: one more at most, never one less."""
        self.manage(release, "migrate_online")
        for old in list(self.web):
            new = self._start_web(release)
            self._wait_until_ready(new)
            self.web.append(new)
            self._route()
            self.web.remove(old)
            self._route()
            time.sleep(PRE_STOP_SECONDS)
            self.stop_seconds.append(old.end())
            assert old.popen.returncode == 0
        for name in WORKERS:
            before = self.workers[name]
            self.workers[name] = self._start_worker(release, name)
            before.end()
            assert before.popen.returncode == 0

    def crash(self, release: Release) -> None:
        """Replace instances as nobody should: killed while they answer, still in the gateway."""
        for old in list(self.web):
            old.end(number=signal.SIGKILL)
            new = self._start_web(release)
            self._wait_until_ready(new)
            self.web[self.web.index(old)] = new
            self._route()

    def answered_by_release(self) -> Counter[int]:
        """Return how many requests each release has answered, by the gateway's log."""
        counted: Counter[int] = Counter()
        for line in (self.folder / "access.log").read_text().splitlines():
            upstream = json.loads(line)["upstream"].rpartition(", ")[2]
            if upstream:
                counted[self.release_of[int(upstream.rpartition(":")[2])]] += 1
        return counted

    # Processes

    def _start_web(self, release: Release) -> Process:
        port = free_port()
        while port in self.release_of:
            port = free_port()
        self.release_of[port] = release.number
        more = {
            "BIND": f"127.0.0.1:{port}",
            "WEB_CONCURRENCY": "1",
            "PROMETHEUS_MULTIPROC_DIR": str(self.folder / f"metrics-{port}"),
        }
        command = ("-m", "gunicorn", "-c", "config/gunicorn.conf.py", "ecommerce.wsgi")
        return Process(release, self._popen(release, *command, more=more), port)

    def _start_workers(self, release: Release) -> None:
        for name in WORKERS:
            self.workers[name] = self._start_worker(release, name)
        schedule = f"--schedule={self.folder / 'schedule'}"
        beat = self._popen(
            release, "-m", "celery", "-A", "ecommerce", "beat", schedule, "--pidfile="
        )
        self.workers["beat"] = Process(release, beat)

    def _start_worker(self, release: Release, name: str) -> Process:
        celery = ("-W", "ignore", "-m", "celery", "--quiet", "-A", "ecommerce", "worker")
        which = ("-n", f"{name}-{release.number}@%h", "-Q", WORKERS[name], "--concurrency=1")
        quiet = ("--without-gossip", "--without-mingle")
        return Process(release, self._popen(release, *celery, *which, *quiet))

    def _popen(
        self, release: Release, *command: str, more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"release-{release.number}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=release.folder,
                env={**self.settings, **(more or {})},
                stdout=log,
                stderr=log,
            )

    def _wait_until_ready(self, instance: Process) -> None:
        def ready() -> bool:
            assert instance.popen.poll() is None, "an instance ended instead of starting"
            try:
                url = f"http://127.0.0.1:{instance.port}/health/ready"
                return httpx.get(url, timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        eventually(ready, bool, patience=180)

    # The gateway

    def _nginx(self) -> list[str]:
        program = str(toolbox.program("nginx"))
        return [program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def _write_upstream(self) -> None:
        text = (toolbox.CHECKOUT / "config" / "nginx" / "upstream.conf").read_text()
        [one] = [line for line in text.splitlines() if line.strip().startswith("server ")]
        servers = "\n".join(one.replace("web:8000", f"127.0.0.1:{each.port}") for each in self.web)
        (self.folder / "upstream.conf").write_text(text.replace(one, servers))

    def _route(self) -> None:
        """Have the gateway send requests to the instances that there are now."""
        self._write_upstream()
        subprocess.run([*self._nginx(), "-s", "reload"], check=True, stderr=subprocess.DEVNULL)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v1/products?limit=1").status_code == 200
        except httpx.TransportError:
            return False
