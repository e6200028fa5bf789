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
    assert sum(1 for charge in store.ledger() if charge["captured"]) >= 1


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


@pytest.mark.parametrize("role", ROLES)
def test_sigterm_ends_a_background_process_well(store: ContainedStore, role: str, say):
    code, seconds = store.containers[role].terminate(within=GRACE[role])

    say(f"{role}: ended {seconds:.1f} s after SIGTERM")
    assert code == 0, store.containers[role].output()[-2000:]
    assert seconds < GRACE[role]
