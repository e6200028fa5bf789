"""Children end with the process that started them, however it ends. Real processes throughout."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from ecommerce.local.children import Child
from ecommerce.local.testing import PREFIX, throwaway_folder

on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the kernel's parent-death signal is Linux only"
)

REDIS_PARENT = """
import sys, time
from pathlib import Path
from ecommerce.local.redis_server import Server, find_program
from ecommerce.local.state import State
server = Server(state=State(Path(sys.argv[1])), program=find_program())
server.start()
print(server.child.pid, flush=True)
time.sleep(60)
"""

STUBBORN_PARENT = """
import sys, time
from ecommerce.local.children import Child, Guardian
ignoring = "import signal, time\\nfor n in (2, 3, 15): signal.signal(n, signal.SIG_IGN)\\n"
child = Child("stubborn", [sys.executable, "-c", ignoring + "print(1, flush=True); time.sleep(60)"])
guardian = Guardian(patience=0.5)
child.start()
guardian.watch(child)
while not child.output.read():
    time.sleep(0.01)
print(child.pid, flush=True)
time.sleep(60)
"""


STUBBORN = "trap '' TERM; echo; while :; do sleep 1; done"


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def seconds_until(condition, patience: float = 15) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < patience, "it never happened"
        time.sleep(0.02)
    return time.monotonic() - began


def killed_parent(code: str, *arguments: str) -> int:
    """Run a parent until it has a child, kill it with -9, and return the child's pid."""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    return child


@on_linux
def test_a_server_ends_when_its_parent_is_killed(state):
    server = killed_parent(REDIS_PARENT, str(state.folder))

    assert seconds_until(lambda: not is_alive(server)) < 5


@on_linux
def test_a_child_that_ignores_its_signals_is_ended_by_the_guardian(state):
    stubborn = killed_parent(STUBBORN_PARENT)

    assert seconds_until(lambda: not is_alive(stubborn)) < 10


@on_linux
def test_ending_a_group_ends_the_children_of_a_killed_child():
    child = Child("master", ["sh", "-c", "sleep 60 & echo $!; wait"])
    child.start()
    written = []
    seconds_until(lambda: written.append(child.output.read()) or written[-1])
    grandchild = int(written[-1])

    os.kill(child.pid, signal.SIGKILL)
    seconds_until(lambda: child.exit_code() == -signal.SIGKILL)
    assert is_alive(grandchild)
    child.end_group()

    seconds_until(lambda: not is_alive(grandchild))
    child.output.close()


def test_a_child_that_does_not_stop_when_asked_is_stopped_all_the_same(tmp_path):
    log = tmp_path / "log"
    child = Child(
        "stubborn", ["sh", "-c", "trap '' TERM; echo; while :; do sleep 9; done"], log=log
    )
    child.start()
    seconds_until(log.read_text)

    child.stop(patience=0.2)

    assert child.exit_code() == -signal.SIGKILL


def test_the_folder_of_a_test_run_that_was_killed_is_removed_by_the_next(reachable):
    abandoned = reachable / f"{PREFIX}abandoned"
    abandoned.mkdir()

    with throwaway_folder(reachable) as first:
        assert not abandoned.exists()
        with throwaway_folder(reachable) as second:
            assert first.exists()

    assert not first.exists()
    assert not second.exists()


def test_runs_that_begin_at_once_may_remove_the_same_folder(reachable):
    abandoned = reachable / f"{PREFIX}abandoned"
    abandoned.mkdir()
    for number in range(2000):
        (abandoned / str(number)).touch()
    gate = Barrier(4)

    def run() -> None:
        gate.wait()
        with throwaway_folder(reachable) as folder:
            assert folder.exists()

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(run) for _ in range(4)]:
            each.result()
