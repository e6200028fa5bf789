"""Ten updates while shoppers shop: every request is answered, and every order is one."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import toolbox
from fleet import Fleet
from releases import CHANGES, Release, release
from running_store import eventually, free_port
from shopper import Staff, connections

from ecommerce.local.environment import WITHOUT_RATE_LIMITS, production_like_environment
from ecommerce.local.testing import throwaway_folder, throwaway_servers

UPDATES = 10
SHOPPERS = 8
FEWEST_REQUESTS = 20_000
LONGEST_SECONDS = 900
OPEN = """
SELECT (SELECT count(*) FROM orders_order WHERE status <> 'completed')
    + (SELECT count(*) FROM orders_billingdocument WHERE next_action_at IS NOT NULL)
"""
ADMIN = {"email": "admin@example.com", "password": secrets.token_urlsafe(16)}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Release 1, with a filled database, real Redis, workers and the payment sandbox."""
    try:
        toolbox.program("nginx")
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))
    port, sandbox_port = free_port(), free_port()
    with throwaway_folder() as folder, throwaway_servers(Path(folder)) as servers:
        settings = os.environ | production_like_environment() | WITHOUT_RATE_LIMITS
        settings |= {
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": servers.database.url,
            "REDIS_URL": servers.cache.url,
            "CELERY_BROKER_URL": servers.broker_url,
            "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}",
            "CARRIER_SIMULATED_DELIVERY_SECONDS": "1",
            "MEDIA_ROOT": str(tmp_path / "media"),
            "STATIC_ROOT": str(tmp_path / "static"),
            "ADMIN_PASSWORD": ADMIN["password"],
            "LOG_LEVEL": "WARNING",
        }
        fleet = Fleet(tmp_path, settings, port)
        first = release(1, tmp_path)
        fleet.manage(first, "migrate_online")
        fleet.manage(first, "load_sample_catalog")
        fleet.manage(first, "create_admin", f"--email={ADMIN['email']}")
        fleet.manage(first, "collectstatic", "--no-input", "--verbosity=0")
        with _sandbox(fleet, sandbox_port, settings):
            try:
                fleet.start(first)
                yield fleet
            finally:
                fleet.end()


@contextmanager
def _sandbox(fleet: Fleet, port: int, settings: dict[str, str]) -> Iterator[None]:
    webhooks = f"--webhook-url={fleet.url}/api/v1/hooks/payments/stripe"
    state = f"--state={fleet.folder / 'sandbox.sqlite'}"
    command = [sys.executable, "-m", "ecommerce.local.payment_sandbox", f"--port={port}", state]
    with subprocess.Popen(
        [*command, webhooks], cwd=toolbox.CHECKOUT, env=settings, stdout=subprocess.DEVNULL
    ) as sandbox:
        try:
            yield
        finally:
            sandbox.terminate()


@contextmanager
def shoppers(fleet: Fleet, sku: str) -> Iterator[Callable[[], dict]]:
    """Have shoppers at work; the function that is given ends them and returns what they saw."""
    program = Path(__file__).with_name("shoppers.py")
    command = [sys.executable, str(program), fleet.url, sku, str(SHOPPERS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:

        def end() -> dict:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
            return dict(json.loads(output))

        try:
            yield end
        finally:
            process.kill()


def product(fleet: Fleet) -> str:
    """Publish a product that does not sell out. Returns its SKU."""
    with connections(fleet.url) as client:
        made = Staff(client, **ADMIN).add_product(on_hand=1_000_000)
    return str(made["variants"][0]["sku"])


def enough(fleet: Fleet, count: int) -> None:
    """Wait until the gateway has answered so many requests."""
    log = fleet.folder / "access.log"
    eventually(
        lambda: log.read_bytes().count(b"\n"),
        lambda answered: answered >= count,
        patience=LONGEST_SECONDS,
    )


def orders_in_database(fleet: Fleet) -> list[str]:
    with psycopg.connect(fleet.settings["DATABASE_URL"]) as database:
        return [str(number) for (number,) in database.execute("SELECT id FROM orders_order")]


def test_ten_updates_under_load_fail_no_request(fleet: Fleet, tmp_path: Path, say):
    sku = product(fleet)
    began = time.monotonic()

    with shoppers(fleet, sku) as end:
        for number in range(2, UPDATES + 2):
            current = release(number, tmp_path)
            fleet.roll(current)
            enough(fleet, FEWEST_REQUESTS * (number - 1) // UPDATES)
        enough(fleet, FEWEST_REQUESTS + 500)
        seen = end()
    seconds = time.monotonic() - began

    answered = fleet.answered_by_release()
    say(
        f"{UPDATES} updates, {sum(change <= UPDATES + 1 for change in CHANGES)} with a migration: "
        f"{seen['requests']} requests ({seen['requests'] / seconds:.0f}/s), "
        f"{len(seen['orders'])} orders, failures: {seen['failures'] or 'none'}; "
        f"milliseconds {seen['milliseconds']}, slowest {seen['slowest_seconds']} s; "
        f"instances ended within {max(fleet.stop_seconds):.1f} s of SIGTERM"
    )
    assert seen["failures"] == {}
    assert seen["requests"] >= FEWEST_REQUESTS
    assert set(answered) == set(range(1, UPDATES + 2))
    assert sorted(orders_in_database(fleet)) == sorted(seen["orders"])
    invariants_hold(fleet, current)


def invariants_hold(fleet: Fleet, current: Release) -> None:
    """Wait until the work is done, then ask the store itself and the provider."""

    def open_work() -> int:
        with psycopg.connect(fleet.settings["DATABASE_URL"]) as database:
            [row] = database.execute(OPEN)
            return int(row[0])

    eventually(open_work, lambda left: left == 0, patience=300)
    assert "All invariants hold." in fleet.manage(current, "check_invariants")


def test_instances_that_are_killed_instead_are_noticed_by_shoppers(fleet: Fleet, tmp_path: Path):
    """The measuring is measured: an update without its careful steps must show failures."""
    sku = product(fleet)

    with shoppers(fleet, sku) as end:
        enough(fleet, 200)
        fleet.crash(release(2, tmp_path))
        seen = end()

    assert sum(seen["failures"].values()) >= 1
    assert httpx.get(f"{fleet.url}/api/v1/products?limit=1").status_code == 200
