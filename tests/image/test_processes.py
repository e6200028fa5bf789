"""Every process of the store, out of the one image, against real PostgreSQL and Redis."""

import re
import threading
import time

import httpx
import pytest
from contained_store import ROLES, ContainedStore, answers
from engine import Engine
from running_store import eventually
from shopper import ADDRESS, Shopper, for_sale, variant_of

GRACE = {"web": 30, **dict.fromkeys(ROLES, 60)}


def test_a_guest_buys_and_the_parcel_arrives(store: ContainedStore, guest: Shopper):
    variant = variant_of(for_sale(guest))

    order = guest.buy({variant["id"]: 2})
    delivered = eventually(
        lambda: guest.order(order["id"]), lambda seen: seen["status"] == "completed", patience=60
    )

    assert [payment["status"] for payment in delivered["payments"]] == ["captured"]
    assert [parcel["status"] for parcel in delivered["shipments"]] == ["delivered"]
    assert sum(1 for charge in store.ledger() if charge["amount_captured"]) == 1


def test_pages_pictures_and_styles_are_served(store: ContainedStore, guest: Shopper):
    login = httpx.get(f"{store.url}/admin/login/")
    style = re.search(r'href="(/static/[^"]+\.css)"', login.text)
    assert style
    picture = for_sale(guest)["images"][0]["url"]

    assert login.status_code == 200
    assert httpx.get(store.url + style[1]).headers["Cache-Control"].startswith("max-age=315360000")
    assert httpx.get(httpx.URL(store.url).join(picture)).headers["Content-Type"] == "image/webp"


def test_the_images_own_health_check_passes_while_it_serves(
    store: ContainedStore, engine: Engine, image: str
):
    web = store.containers["web"]
    [_, *check] = engine.inspect("image", image)["Healthcheck"]["Test"]
    port = store.url.rpartition(":")[2]

    healthy = web.execute(*(word.replace(":8000", f":{port}") for word in check))
    sick = web.execute(*check)  # nothing listens on the port of the image here

    assert healthy.returncode == 0, healthy.stderr
    assert sick.returncode == 1


@pytest.mark.parametrize("role", ROLES)
def test_what_runs_in_the_background_is_alive_and_counted(store: ContainedStore, role: str):
    container = store.containers[role]
    settings = container.engine.inspect("container", container.name)["Config"]["Env"]
    port = next(entry.partition("=")[2] for entry in settings if entry.startswith("METRICS_PORT="))

    eventually(
        lambda: answers(f"http://127.0.0.1:{port}/health/live"),
        lambda status: status == 200,
        patience=30,
    )
    assert "# HELP" in httpx.get(f"http://127.0.0.1:{port}/metrics").text


def test_a_worker_ends_the_payment_it_has_begun_and_then_itself(
    store: ContainedStore, guest: Shopper, say
):
    """The provider takes 3 seconds to answer, and SIGTERM comes meanwhile."""
    before = len(store.ledger())
    order = order_whose_payment_is_under_way(store, guest)
    worker = store.containers["worker-payments"]

    code, seconds = worker.terminate(within=GRACE["worker-payments"])

    say(f"worker-payments, in the middle of a payment: ended {seconds:.1f} s after SIGTERM")
    assert code == 0, worker.output()[-2000:]
    assert seconds < GRACE["worker-payments"]
    # Nobody is left who could have done it: what the worker had begun, it has finished.
    assert payment_of(guest, order) in {"authorised", "captured"}
    assert len(store.ledger()) == before + 1


def test_a_worker_that_is_killed_leaves_its_payment_to_the_next(
    store: ContainedStore, guest: Shopper, engine: Engine, image: str
):
    before = len(store.ledger())
    command = ROLES["worker-payments"]
    with engine.running(image, *command, env=store.settings, name="worker-killed") as worker:
        order = order_whose_payment_is_under_way(store, guest)
        code, _ = worker.terminate(within=0)
        left_behind = payment_of(guest, order)
    store.set_faults()
    with engine.running(image, *command, env=store.settings, name="worker-next"):
        eventually(lambda: payment_of(guest, order), "captured".__eq__, patience=90)

    assert code == 137
    assert left_behind == "in_flight"
    assert len(store.ledger()) == before + 1


def order_whose_payment_is_under_way(store: ContainedStore, guest: Shopper) -> str:
    """Buy while the provider is slow; return the order's id when a worker is at its payment."""
    store.set_faults(delay_ms=3000)
    order = guest.buy({variant_of(for_sale(guest))["id"]: 1})["id"]
    statement = (
        "SELECT count(*) FROM orders_paymentattempt WHERE order_id = %s AND lease_until > now()"
    )
    with store.database() as database:
        eventually(
            lambda: database.execute(statement, [order]).fetchone(), (1,).__eq__, patience=30
        )
    return str(order)


def payment_of(guest: Shopper, order: str) -> str:
    """Return how the order's one payment stands."""
    [payment] = guest.order(order)["payments"]
    return str(payment["status"])


def test_a_web_process_ends_what_it_has_begun_and_then_itself(
    store: ContainedStore, guest: Shopper
):
    """A request waits for a lock when SIGTERM comes; it is answered, and then the process ends."""
    cart = guest.prepare_cart({variant_of(for_sale(guest))["id"]: 1})
    answered: list[httpx.Response] = []

    def change_address() -> None:
        answered.append(guest.ask("PUT", f"/carts/{cart}/shipping-address", ADDRESS))

    with store.database() as database, database.transaction():
        database.execute("SELECT 1 FROM orders_cart WHERE id = %s FOR UPDATE", [cart])
        request = threading.Thread(target=change_address)
        request.start()
        time.sleep(0.5)
        ending: list[tuple[int, float]] = []
        web = store.containers["web"]
        stop = threading.Thread(target=lambda: ending.append(web.terminate(within=GRACE["web"])))
        stop.start()
        time.sleep(0.7)
    request.join(timeout=30)
    stop.join(timeout=60)

    assert [answer.status_code for answer in answered] == [200]
    [(code, seconds)] = ending
    assert code == 0
    assert seconds < GRACE["web"]


@pytest.mark.parametrize("role", [role for role in ROLES if role != "worker-payments"])
def test_sigterm_ends_a_background_process_well(store: ContainedStore, role: str, say):
    code, seconds = store.containers[role].terminate(within=GRACE[role])

    say(f"{role}: ended {seconds:.1f} s after SIGTERM")
    assert code == 0, store.containers[role].output()[-2000:]
    assert seconds < GRACE[role]
