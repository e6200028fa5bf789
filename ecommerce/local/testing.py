"""`make test`: the test suite on real servers, which are thrown away afterwards."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from xml.etree import ElementTree

from ecommerce.local.children import adopt_orphans, die_with_parent
from ecommerce.local.servers import Servers, open_servers
from ecommerce.local.state import CHECKOUT, State

PREFIX = "ecommerce-test-"


def run_tests(arguments: Sequence[str]) -> int:
    """Run pytest with the arguments and say what ran on which servers. Returns its exit code."""
    _end_well()
    with throwaway_folder() as folder, throwaway_servers(folder) as servers:
        print(f"Testing on {servers.describe()}", flush=True)
        report = folder / "report.xml"
        code = _run(["-m", "pytest", f"--junitxml={report}", *arguments], servers)
        if report.exists():
            print(f"{_counts(report)} on {servers.describe()}", flush=True)
        return code


def check_migrations(arguments: Sequence[str]) -> int:
    """Judge migrations on a server of their own. Returns the command's exit code."""
    _end_well()
    with throwaway_folder() as folder, throwaway_servers(folder) as servers:
        return _run(["manage.py", "check_migrations", *arguments], servers)


def _end_well() -> None:
    """Take the servers down with us when we are asked to end."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    adopt_orphans()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def throwaway_folder(parent: Path | None = None) -> Iterator[Path]:
    """Give a folder that is removed at the end, and remove those of runs that were killed."""
    parent = parent or Path(tempfile.gettempdir())
    for old in parent.glob(PREFIX + "*"):
        # Its servers may still be ending, or another run may be removing it, too.
        with suppress(OSError):
            if old.stat().st_uid == os.geteuid() and not _is_locked(old):
                State(old).remove()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        folder.chmod(0o711)  # PostgreSQL may run as another user
        yield folder
    finally:
        State(folder).remove()
        os.close(descriptor)


def _is_locked(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def throwaway_servers(folder: Path) -> Iterator[Servers]:
    """Give both servers; those that we started lose their data and end."""
    servers = open_servers(State(folder), throwaway=True, logs=folder)
    try:
        yield servers
    finally:
        for child in servers.children():
            child.stop(patience=10)


def _run(arguments: Sequence[str], servers: Servers) -> int:
    """Run Python with the arguments in the environment of tests."""
    environment = _harmless(os.environ) | {
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "ecommerce.settings_test",
        "DATABASE_URL": servers.database.url,
        "REDIS_URL": servers.cache.url,
        "CELERY_BROKER_URL": servers.broker_url,
        "SERVERS_IN_USE": servers.describe(),
    }
    parent = os.getpid()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env=environment,
        preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),  # noqa: PLW1509 - no threads
    )
    try:
        return process.wait()
    except KeyboardInterrupt:  # pytest got the terminal's Ctrl-C too and is writing its summary
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _harmless(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that lead to somebody's real servers and accounts."""
    foreign = ("PG", "STRIPE_", "AWS_")
    return {name: value for name, value in given.items() if not name.startswith(foreign)}


def _counts(report: Path) -> str:
    """Return `812 tests passed, 1 failed, 3 skipped` from pytest's report."""
    root = ElementTree.parse(report).getroot()  # noqa: S314 - pytest just wrote it
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in root.iter("testsuite"):
        for name in totals:
            totals[name] += int(suite.get(name, 0))
    bad = {name: totals[name] for name in ("failures", "errors", "skipped")}
    passed = totals["tests"] - sum(bad.values())
    words = {"failures": "failed", "errors": "with an error", "skipped": "skipped"}
    return ", ".join(
        [
            f"{passed} tests passed",
            *(f"{count} {words[name]}" for name, count in bad.items() if count),
        ]
    )
