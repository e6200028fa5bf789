"""What `make run` refuses before it starts anything, what it shows, and that it stops."""

import io
import os
import socket
import subprocess
import sys

import pytest

from ecommerce.local.environment import (
    production_like_environment,
    store_environment,
    uses_sandbox,
)
from ecommerce.local.errors import CannotStart
from ecommerce.local.output import Log
from ecommerce.local.servers import Server, Servers
from ecommerce.local.supervisor import chosen_ports, require_free

# Asks whether its child runs, and is told to stop just when it has taken the lock for that.
UNLUCKY_STORE = """
import os, signal, sys
from pathlib import Path
from ecommerce.local.children import Child
from ecommerce.local.output import Log
from ecommerce.local.state import State
from ecommerce.local.supervisor import Supervisor

class Lock:
    def __init__(self, lock):
        self.lock = lock
        self.release = lock.release

    def acquire(self, blocking):
        taken = self.lock.acquire(blocking)
        os.kill(os.getpid(), signal.SIGTERM)
        self.acquire = self.lock.acquire
        return taken

    def __enter__(self):
        self.lock.acquire()

    def __exit__(self, *_):
        self.lock.release()

class Store(Supervisor):
    def _start(self):
        self._opening = False
        child = Child("child", [sys.executable, "-c", "import time; time.sleep(600)"])
        self._launch(child)
        child._process._waitpid_lock = Lock(child._process._waitpid_lock)

sys.exit(Store(State(Path(sys.argv[1])), Log()).run())
"""


def test_it_stops_at_whatever_moment_it_is_asked(reachable):
    stopped = subprocess.run(
        [sys.executable, "-c", UNLUCKY_STORE, str(reachable)],
        env=os.environ | {"PORT": "9000"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=30,
        check=False,
    )

    assert stopped.returncode == 0
    assert stopped.stdout.endswith("stopped\n")


def test_the_sandbox_has_the_port_after_the_stores(monkeypatch):
    monkeypatch.delenv("SANDBOX_PORT", raising=False)
    monkeypatch.setenv("PORT", "9000")

    assert chosen_ports() == (9000, 9001)


@pytest.mark.parametrize("word", ["0", "65536", "eighty", "-1", "8000 "])
def test_a_port_that_is_none_is_one_sentence(monkeypatch, word):
    monkeypatch.setenv("PORT", word)

    with pytest.raises(CannotStart) as refusal:
        chosen_ports()

    assert str(refusal.value) == f"PORT must be a port number from 1 to 65535, not {word!r}."


def test_a_taken_port_is_one_sentence_that_names_the_variable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CannotStart) as refusal:
            require_free(port, "SANDBOX_PORT")

    assert str(refusal.value).startswith(f"Port {port} is taken by another program; ")
    assert "make run SANDBOX_PORT=" in str(refusal.value)


def environment(given, state):
    servers = Servers(
        Server("postgresql://here", "PostgreSQL", None),
        Server("redis://here/0", "Valkey", None),
        "redis://here/1",
    )
    return store_environment(
        given=given,
        servers=servers,
        secrets=state.secrets(),
        folder=state.folder,
        port=9000,
        sandbox_port=9001,
    )


def test_payments_go_to_the_sandbox_unless_a_key_is_given(state):
    real = {"STRIPE_SECRET_KEY": "sk_live_real", "STRIPE_WEBHOOK_SECRET": "whsec_real"}

    assert environment({}, state)["STRIPE_API_BASE"] == "http://127.0.0.1:9001"
    assert uses_sandbox({})
    assert "STRIPE_API_BASE" not in environment(real, state)
    assert environment(real, state)["STRIPE_SECRET_KEY"] == "sk_live_real"
    assert not uses_sandbox(real)


def test_the_environment_of_the_store_names_all_that_a_deployment_has_to(state):
    assert production_like_environment().keys() <= environment({}, state).keys()


def shown(line: str) -> str:
    stream = io.StringIO()
    log = Log(stream)
    log._line("web", log._readable(line))
    return stream.getvalue()


def test_a_json_line_is_shown_on_one_short_line():
    line = (
        '{"time":"2030-01-02T03:04:05+00:00","level":"INFO","logger":"a","message":"request",'
        '"request_id":"r","status":200}'
    )

    assert shown(line) == "web      | 03:04:05 INFO    request  status=200\n"


def test_an_exception_in_a_json_line_keeps_its_lines():
    line = '{"time":"2030-01-02T03:04:05","level":"ERROR","message":"no","exception":"a\\nb"}'

    assert shown(line) == "web      | 03:04:05 ERROR   no\nweb      | a\nweb      | b\n"


@pytest.mark.parametrize("line", ["plain", "{not json", '{"other": "json"}', '{"time": 1}'])
def test_any_other_line_is_shown_as_it_is(line):
    assert shown(line) == f"web      | {line}\n"
