"""Workers, beat and exporter as processes: what they tell, and when they count as dead."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from django.conf import settings
from django.db import connection

# Hangs the loop itself a second after its start; three silent seconds are a minute here.
pytestmark = pytest.mark.long
WORKER = """
import sys, threading, time
from celery.signals import worker_ready
from ecommerce.celery import app
from ecommerce.monitoring import background, exposition

exposition.SILENT_FOR, background.EVERY = 3.0, 0.5

@worker_ready.connect
def hang(sender, **_):
    if "hang" in sys.argv:
        threading.Timer(1, lambda: sender.hub.call_soon(time.sleep, 600)).start()

app.worker_main(["--quiet", "worker", "-Q", "nobody-sends-here", "--concurrency=1",
                 "--without-gossip", "--without-mingle"])
"""
BEAT = """
import sys, time
from ecommerce.celery import app
from ecommerce.monitoring import background, exposition

exposition.SILENT_FOR = 3.0
if "hang" in sys.argv:
    background.LivingScheduler.apply_async = lambda *_, **__: time.sleep(600)
app.start(["--quiet", "beat", "-s", sys.argv[1], "--pidfile="])
"""
EXPORTER = """
import runpy, sys

sys.argv = ["manage.py", "export_metrics"]
runpy.run_path("manage.py", run_name="__main__")
"""

Get = Callable[[str], httpx.Response]
Running = tuple[Get, subprocess.Popen[bytes]]


@contextmanager
def process(
    script: str, *arguments: str, **variables: str
) -> Iterator[tuple[Get, subprocess.Popen[bytes]]]:
    """Run a process that serves its figures; give what asks it, and the process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "METRICS_HOST": "127.0.0.1", "METRICS_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=settings.BASE_DIR,
        env=environment | variables,
        start_new_session=True,
    ) as running:
        try:
            yield lambda path: httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10), running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def within(seconds: float, ask: Callable[[], bool]) -> None:
    """Ask until it is so; a server that does not listen yet is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if ask():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.2)


def last_turn(get: Get) -> float:
    [line] = [
        line
        for line in get("/metrics").text.splitlines()
        if line.startswith("loop_last_turn_timestamp_seconds ")
    ]
    return float(line.split()[1])


@pytest.mark.parametrize(("script", "name"), [(WORKER, "worker"), (BEAT, "beat")])
def test_a_loop_that_turns_lives_and_one_that_hangs_does_not(
    tmp_path_factory: pytest.TempPathFactory, script: str, name: str
) -> None:
    schedule = tmp_path_factory.mktemp(name) / "schedule"
    with process(script, str(schedule)) as (get, _):
        within(60, lambda: get("/health/live").status_code == 200)
        time.sleep(4)  # longer than silence may last
        assert get("/health/live").status_code == 200

    with process(script, str(schedule), "hang") as (get, _):
        within(60, lambda: get("/health/live").status_code == 503)
        assert get("/metrics").status_code == 200


@pytest.mark.parametrize(("script", "name"), [(WORKER, "worker"), (BEAT, "beat")])
def test_trying_to_reach_a_broker_that_is_away_is_living(
    tmp_path_factory: pytest.TempPathFactory, script: str, name: str
) -> None:
    schedule = tmp_path_factory.mktemp(name) / "schedule"
    away = {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"}
    with process(script, str(schedule), **away) as (get, _):
        within(60, lambda: last_turn(get) > 0)
        first = last_turn(get)
        within(30, lambda: last_turn(get) > first + 1)


@pytest.mark.django_db(transaction=True)
def test_the_exporter_serves_and_ends_when_it_is_told_to() -> None:
    here = connection.settings_dict
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{here['NAME']}"
    with process(EXPORTER, DATABASE_URL=url) as (get, running):
        within(60, lambda: "shop_carts_total 0.0" in get("/metrics").text)
        assert get("/health/live").status_code == 200
        assert get("/nothing").status_code == 404
        running.terminate()
        assert running.wait(timeout=10) == 0
