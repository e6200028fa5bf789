"""Journeys across the apps, over HTTP: from browsing to the parcel at the door."""

import httpx
import pytest
from celery import current_app
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from apps.catalog.tests.factories import VariantFactory
from apps.orders.tests.factories import ADDRESS
from apps.users.tests.factories import StaffFactory, enter, mailed_token

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def provider(payment_sandbox, settings):
    settings.STRIPE_SECRET_KEY = payment_sandbox.secret_key
    settings.STRIPE_API_BASE = payment_sandbox.url
    settings.CARRIER_SIMULATED_DELIVERY_SECONDS = 0
    httpx.post(f"{payment_sandbox.url}/_sandbox/reset").raise_for_status()


def work() -> None:
    for name in ("orders.process_payments", "kernel.relay_outbox", "orders.process_shipments"):
        current_app.tasks[name]()


def buy(client: APIClient, sku: str, **details: str) -> dict:
    cart = client.post("/api/v1/carts", {}).json()
    headers = {"X-Cart-Token": cart["token"]} if cart["token"] else {}
    path = f"/api/v1/carts/{cart['id']}"
    client.post(f"{path}/items", {"sku": sku, "quantity": 2}, headers=headers)
    client.put(f"{path}/shipping-address", ADDRESS, headers=headers)
    [option, *_] = client.get(f"{path}/shipping-options", headers=headers).json()["results"]
    client.put(f"{path}/shipping-option", {"code": option["code"]}, headers=headers)
    answer = client.post(
        f"{path}/checkout",
        {"payment": {"provider": "stripe", "method": "pm_card_visa"}, **details},
        headers={**headers, "Idempotency-Key": "checkout-1"},
    )
    assert answer.status_code == 201, answer.json()
    return answer.json()


def arrive(order: dict) -> None:
    """Staff send the parcel off and report its arrival in the back office."""
    work()
    staff = enter(Client(), StaffFactory.create(is_superuser=True))
    shipments = reverse("admin:orders_shipment_changelist")
    for action in ("hand_over", "deliver"):
        page = staff.get(shipments, {"q": order["number"]})
        parcel = page.context["cl"].result_list[0].pk
        staff.post(shipments, {"action": action, "_selected_action": [parcel]})


def test_a_customer_registers_browses_buys_and_gets_the_parcel():
    VariantFactory(sku="MUG", stock=5, product__slug="mug")
    client = APIClient()
    account = {"email": "sam@example.com", "password": "a long enough secret"}
    assert client.post("/api/v1/auth/register", account).status_code == 202
    proof = {"token": mailed_token(account["email"]), "password": account["password"]}
    assert client.post("/api/v1/auth/verify-email", proof).status_code == 201
    tokens = client.post("/api/v1/auth/login", account).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    [product] = client.get("/api/v1/products").json()["results"]
    sku = client.get(f"/api/v1/products/{product['slug']}").json()["variants"][0]["sku"]

    order = buy(client, sku)
    arrive(order)

    done = client.get(f"/api/v1/orders/{order['id']}").json()
    assert done["status"] == "completed"
    assert done["email"] == "sam@example.com"
    assert [p["status"] for p in done["payments"]] == ["captured"]
    [parcel] = done["shipments"]
    assert parcel["status"] == "delivered"
    assert parcel["tracking_number"].startswith("TR")
    events = client.get(f"/api/v1/orders/{order['id']}/events").json()["results"]
    assert [event["status"] for event in events] == [
        "pending_payment",
        "paid",
        "fulfilling",
        "completed",
    ]
    assert [o["id"] for o in client.get("/api/v1/orders").json()["results"]] == [order["id"]]
    left = client.get(f"/api/v1/inventory/{product['id']}").json()
    assert left["availability"] == "low_stock"
    call_command("check_invariants")


def test_a_guest_buys_with_nothing_but_two_tokens():
    VariantFactory(sku="MUG", stock=5)
    client = APIClient()

    order = buy(client, "MUG", email="guest@example.com")
    arrive(order)

    read = client.get(f"/api/v1/orders/{order['id']}", headers={"X-Order-Token": order["token"]})
    assert read.json()["status"] == "completed"
    assert client.get(f"/api/v1/orders/{order['id']}").status_code == 404
