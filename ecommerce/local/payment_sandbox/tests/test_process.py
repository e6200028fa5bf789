"""What holds while the process starts, dies and ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from ecommerce.local.payment_sandbox.process import ROOT, DidNotStart, Sandbox, start
from ecommerce.local.payment_sandbox.tests.conftest import PAYMENT, sdk_of

pytestmark = pytest.mark.long
COMMAND = [sys.executable, "-m", "ecommerce.local.payment_sandbox"]
SECRETS = {"STRIPE_SECRET_KEY": "sk", "STRIPE_WEBHOOK_SECRET": "whsec"}


def run(state: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return subprocess.run(
        [*COMMAND, "--port", "0", "--state", str(state), *arguments],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def ledger(sandbox: Sandbox) -> dict[str, Any]:
    content: dict[str, Any] = httpx.get(f"{sandbox.url}/_sandbox/ledger").json()
    return content


def test_kill_minus_nine_loses_nothing_that_was_answered(telling: Sandbox):
    sdk = sdk_of(telling)
    answered: list[str] = []

    def pay_until_it_dies(buyer: int) -> None:
        for number in range(1000):
            try:
                intent = sdk.v1.payment_intents.create(
                    PAYMENT,
                    {"idempotency_key": f"{buyer}-{number}"},
                )
            except stripe.APIConnectionError:
                return
            answered.append(intent.id)

    with ThreadPoolExecutor(4) as pool:
        buyers = [pool.submit(pay_until_it_dies, buyer) for buyer in range(4)]
        while len(answered) < 40:
            time.sleep(0.01)
        telling.kill()
        for buyer in buyers:
            buyer.result()
    telling.restart()

    charged = [entry["payment_intent"] for entry in ledger(telling)["charges"]]
    assert set(answered) <= set(charged)
    assert len(charged) == len(set(charged))
    # At most the request each buyer was waiting for is charged without an answer.
    assert len(charged) - len(answered) <= 4


def test_the_ledger_and_the_fault_plan_are_the_same_after_a_restart(telling: Sandbox):
    intent = sdk_of(telling).v1.payment_intents.create(PAYMENT)
    sdk_of(telling).v1.refunds.create({"payment_intent": intent.id, "amount": 300})
    httpx.post(f"{telling.url}/_sandbox/faults", json={"delay_ms": 1}).raise_for_status()
    before = ledger(telling)

    telling.kill()
    telling.restart()

    assert ledger(telling) == before
    assert before["totals"] == {
        "usd": {"charges": 1, "amount": 1000, "amount_captured": 1000, "amount_refunded": 300}
    }
    assert httpx.get(f"{telling.url}/_sandbox/faults").json()["delay_ms"] == 1


def test_it_stops_within_two_seconds_even_with_a_request_held(telling: Sandbox):
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(
            sdk_of(telling).v1.payment_intents.create,
            PAYMENT | {"payment_method": "pm_card_sandbox_timeout"},
        )
        while not ledger(telling)["charges"]:
            time.sleep(0.02)
        begun = time.monotonic()

        telling.stop()

        assert time.monotonic() - begun < 2
        with pytest.raises(stripe.APIConnectionError):
            held.result()


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        ended = run(tmp_path / "state", "--port", port, **SECRETS)

    assert ended.returncode == 1
    assert ended.stderr == f"Cannot listen on 127.0.0.1:{port}: Address already in use.\n"


def test_a_missing_secret_is_named(tmp_path: Path):
    ended = run(tmp_path / "state", STRIPE_WEBHOOK_SECRET="whsec")

    assert ended.returncode == 1
    assert ended.stderr == "Set the environment variable STRIPE_SECRET_KEY.\n"


def test_it_listens_on_loopback_only_unless_it_is_told_more(tmp_path: Path):
    ended = run(tmp_path / "state", "--host", "0.0.0.0", **SECRETS)

    assert ended.returncode == 2
    assert "loopback addresses only" in ended.stderr


def test_two_sandboxes_never_share_one_state(telling: Sandbox):
    ended = run(telling.state_path, **SECRETS)

    assert ended.returncode == 1
    assert ended.stderr == f"{telling.state_path} cannot be used: database is locked.\n"


@pytest.mark.parametrize("path", ["no folder/state", "text"])
def test_a_state_that_cannot_be_used_is_one_clear_sentence(tmp_path: Path, path: str):
    (tmp_path / "text").write_text("This is not a database. " * 50)

    ended = run(tmp_path / path, **SECRETS)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{tmp_path / path} cannot be used: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals):
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--state", str(tmp_path / "state")],
        cwd=ROOT,
        env=os.environ | SECRETS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(number)

        assert process.wait(timeout=2) == 0
        assert process.stderr.read() == ""


def test_a_sandbox_that_cannot_start_says_so(tmp_path: Path):
    with (
        pytest.raises(DidNotStart),
        start(
            state_path=tmp_path / "no folder" / "state",
            webhook_url="",
            secret_key="sk",
            webhook_secret="whsec",
        ),
    ):
        pass
