"""`make run` as a newcomer meets it: it starts, heals, stops, and leaves nothing behind."""

import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
NOT_IN_A_CLONE = (".git", ".local", ".tools", ".venv", "build", "__pycache__", ".*_cache")
SYSTEM_PYTHON = Path("/usr/bin/python3")

pytestmark = pytest.mark.local  # it starts and kills its stores
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="processes are counted in /proc"
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def seconds_until(condition, patience: float) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience, f"it did not happen within {patience} s"
        time.sleep(0.05)
    return time.monotonic() - began


class Store:
    """One clone, its store, and how to see all its processes from outside."""

    def __init__(self, clone: Path, *, prefix: tuple[str, ...] = (), **environment: str) -> None:
        self.clone = clone
        self.prefix = prefix
        self.port = two_free_ports()
        self.state = clone / ".local"
        given = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE")
        inherited = {name: value for name, value in os.environ.items() if name not in given}
        self.environment = (
            inherited | {"PORT": str(self.port), "STATE_DIR": str(self.state)} | environment
        )
        self.log = clone.parent / "run.log"
        self.process: subprocess.Popen[bytes] | None = None

    def make(self, *goal: str) -> list[str]:
        return [*self.prefix, "make", "--no-print-directory", *goal]

    def start(self, patience: float = 90) -> float:
        """Start the store and return the seconds until it was ready."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.make("run"),
                cwd=self.clone,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return seconds_until(self._is_ready, patience)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.text()
        return "Ctrl-C stops everything." in self.text()

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def processes(self, *words: str) -> list[int]:
        """Return the processes of this store whose command has all the words, oldest first."""
        mark = f"STATE_DIR={self.state}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark not in (folder / "environ").read_bytes().split(b"\0"):
                    continue
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended meanwhile
                continue
            if all(word in command for word in words):
                found.append(int(folder.name))
        return sorted(found)

    def supervisor(self) -> int:
        return self.processes("ecommerce.local", "run")[-1]

    def run(self, *goal: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.make(*goal),
            cwd=self.clone,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def status(self, path: str = "/health/ready") -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except OSError:
            return 0

    def end(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait()


def two_free_ports() -> int:
    """Return the first of two free neighbours, below the ports that connections going out get."""
    while True:
        port = random.randrange(20_000, 32_000)
        with (
            suppress(OSError),
            socket.create_server(("127.0.0.1", port)),
            socket.create_server(("127.0.0.1", port + 1)),
        ):
            return port


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path("/var/tmp") / f"acceptance-{os.getpid()}-{time.monotonic_ns()}"  # noqa: S108 - open to every account
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)


def clone_into(folder: Path, *, with_environment: bool) -> Path:
    clone = folder / "clone"
    shutil.copytree(CHECKOUT, clone, ignore=shutil.ignore_patterns(*NOT_IN_A_CLONE))
    if with_environment:
        (clone / ".venv").symlink_to(CHECKOUT / ".venv")
    return clone


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    made = Store(clone_into(folder, with_environment=True))
    yield made
    made.end()
    made.run("clean-data")


def stop(store: Store, number: signal.Signals) -> None:
    """Ask the supervisor to stop; nothing of the store may be left when it has ended."""
    os.kill(store.supervisor(), number)
    seconds_until(lambda: store.process.poll() is not None, 40)
    assert store.process.returncode == 0, store.text()
    assert store.processes() == []


@needs_proc
def test_a_store_killed_with_9_leaves_nothing_and_starts_again_in_under_10_seconds(store):
    first = store.start()
    assert store.status() == 200
    password = re.search(r"password (\S+) \(shown only this once\)", store.text())[1]

    os.kill(store.supervisor(), signal.SIGKILL)
    seconds_until(lambda: store.processes() == [], 10)
    second = store.start()

    print(f"first start {first:.1f} s, second {second:.1f} s")
    assert store.status() == 200
    assert second < 10
    assert password not in store.text()
    stop(store, signal.SIGTERM)


@needs_proc
def test_killing_make_itself_stops_the_store(store):
    store.start()

    store.process.kill()
    store.process.wait()

    seconds_until(lambda: store.processes() == [], 40)


@needs_proc
def test_ctrl_c_stops_everything(store):
    store.start()

    stop(store, signal.SIGINT)


@needs_proc
def test_killed_web_worker_and_beat_processes_come_back(store):
    store.start()
    for words, whole in (
        (("gunicorn",), 3),
        (("celery", "payments,shipping"), 3),
        (("celery", "default,mail"), 2),
        (("celery", "pictures,index"), 3),
        (("celery", " beat "), 1),
    ):
        seconds_until(lambda words=words, whole=whole: len(store.processes(*words)) >= whole, 20)
        before = store.processes(*words)

        os.kill(before[0], signal.SIGKILL)

        def is_back(words=words, before=before, whole=whole) -> bool:
            now = store.processes(*words)
            return len(now) >= whole and not set(now) & set(before)

        print(f"{words[-1].strip()} was back after {seconds_until(is_back, 15):.1f} s")
    seconds_until(lambda: store.status() == 200, 10)
    stop(store, signal.SIGTERM)


@needs_proc
def test_a_killed_database_stops_the_store_with_one_sentence(store):
    store.start()

    os.kill(store.processes("bin/postgres", "-D")[0], signal.SIGKILL)

    seconds_until(lambda: store.process.poll() is not None, 40)
    assert store.process.returncode != 0
    assert "postgres ended (signal 9); the store cannot go on without it." in store.text()
    assert store.processes() == []


@needs_proc
def test_what_cannot_start_says_so_in_one_sentence(store):
    with socket.create_server(("127.0.0.1", store.port)):
        taken = store.run("run")
    assert taken.returncode != 0
    assert f"Port {store.port} is taken by another program" in taken.stderr

    store.start()
    second, removal = store.run("run"), store.run("clean-data")

    assert "The store of this checkout is already running" in second.stderr
    assert "The store is running" in removal.stderr
    stop(store, signal.SIGTERM)
    assert store.run("clean-data").returncode == 0
    assert not store.state.exists()


@needs_proc
@as_root
def test_a_checkout_that_only_root_can_enter_runs_on_the_packaged_postgresql(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    clone = clone_into(closed, with_environment=False)
    shutil.copytree(CHECKOUT / ".venv", clone / ".venv", symlinks=True)
    store = Store(clone)
    try:
        store.start()
        elsewhere = (store.state / "elsewhere").readlink()

        assert store.status() == 200
        assert pwd.getpwuid((elsewhere / "postgres").stat().st_uid).pw_name == "nobody"
        stop(store, signal.SIGTERM)
        assert store.run("clean-data").returncode == 0
        assert not elsewhere.exists()
    finally:
        store.end()


@needs_proc
@as_root
def test_a_clean_clone_runs_and_tests_as_a_normal_user_with_an_empty_home(folder):
    can_install = subprocess.run([SYSTEM_PYTHON, "-c", "import ensurepip, venv"], check=False)
    if can_install.returncode:
        pytest.skip(f"{SYSTEM_PYTHON} cannot make virtual environments")
    nobody = pwd.getpwnam("nobody")
    home = folder / "home"
    home.mkdir()
    clone = clone_into(folder, with_environment=False)
    for path in (home, clone, *clone.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    become = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    store = Store(clone, prefix=become, HOME=str(home), PYTHON=str(SYSTEM_PYTHON))
    try:
        print(f"clean clone to ready: {store.start(patience=400):.1f} s")

        assert store.status() == 200
        stop(store, signal.SIGTERM)
        tests = store.run("test", "ARGS=apps/kernel -q")
        assert tests.returncode == 0, tests.stdout
        assert re.search(r"^\d+ tests passed on PostgreSQL \S+ .* and \w+ ", tests.stdout, re.M)
    finally:
        store.end()
