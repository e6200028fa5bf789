"""Many clients on one cart: every change counts once, and a version is overwritten once."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.services import carts, checkout
from apps.orders.tests.factories import ADDRESS, VISA, ready_cart
from apps.orders.tests.test_races import at_once

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _main_location():
    StockLocationFactory()


def test_32_clients_who_add_set_and_remove_leave_exactly_what_they_asked_for():
    variants = VariantFactory.create_batch(24, stock=9)
    cart, holder = ready_cart({variant.pk: 5 for variant in variants[:16]})
    lines = {item.variant_id: item.pk for item in cart.items.all()}
    path = f"/api/v1/carts/{cart.pk}/items"
    guest = APIClient(headers={"X-Cart-Token": holder.token})

    def add(variant, quantity):
        return lambda: guest.post(path, {"variant_id": str(variant.pk), "quantity": quantity})

    calls = [add(variant, 2) for variant in variants[16:]]  # eight new lines
    calls += [add(variants[n % 2], n + 1) for n in range(8)]  # eight on two that are there
    calls += [
        lambda line=lines[variant.pk], n=n: guest.patch(f"{path}/{line}", {"quantity": n + 10})
        for n, variant in enumerate(variants[2:10])
    ]
    calls += [
        lambda line=lines[variant.pk]: guest.delete(f"{path}/{line}") for variant in variants[10:16]
    ]
    calls += [
        lambda: guest.put(f"/api/v1/carts/{cart.pk}/email", {"email": "kim@example.com"}),
        lambda: guest.put(f"/api/v1/carts/{cart.pk}/shipping-address", ADDRESS),
    ]

    answers = at_once(calls)

    assert len(calls) == 32
    assert {answer.status_code for answer in answers} == {200}
    expected = {variants[0].pk: 5 + 1 + 3 + 5 + 7, variants[1].pk: 5 + 2 + 4 + 6 + 8}
    expected |= {variant.pk: n + 10 for n, variant in enumerate(variants[2:10])}
    expected |= {variant.pk: 2 for variant in variants[16:]}
    assert dict(cart.items.values_list("variant_id", "quantity")) == expected
    before = cart.version
    cart.refresh_from_db()
    assert cart.version == before + 32
    assert sorted(answer.json()["version"] for answer in answers) == [
        before + n for n in range(1, 33)
    ]


@pytest.mark.parametrize("round_", range(3))
def test_of_16_writers_who_have_seen_one_version_one_wins(round_):
    lamp, chair = VariantFactory.create_batch(2, stock=9)
    cart, holder = ready_cart({lamp.pk: 5, chair.pk: 5})
    path = f"/api/v1/carts/{cart.pk}"
    guest = APIClient(headers={"X-Cart-Token": holder.token})
    etag = guest.get(path)["ETag"]
    line = cart.items.get(variant_id=lamp.pk).pk
    seen = {"headers": {"If-Match": etag}}
    kinds = [
        lambda: guest.post(f"{path}/items", {"sku": lamp.sku, "quantity": 1}, **seen),
        lambda: guest.patch(f"{path}/items/{line}", {"quantity": 6}, **seen),
        lambda: guest.post(f"{path}/items/{line}/saves", {}, **seen),
        lambda: guest.put(
            f"{path}/items",
            {"items": [{"variant_id": str(lamp.pk), "quantity": 7}]},
            **seen,
        ),
    ]

    answers = at_once(kinds * 4)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 15}
    assert {a.json()["code"] for a in answers if a.status_code == 412} == {"version_mismatch"}
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    before = cart.version
    cart.refresh_from_db()
    assert cart.version == won["version"] == before + 1
    assert {i["variant_id"]: i["quantity"] for i in won["items"]} == {
        str(variant): quantity
        for variant, quantity in cart.items.values_list("variant_id", "quantity")
    }


def test_an_order_holds_the_line_that_was_added_while_it_waited_for_the_cart():
    lamp, chair = VariantFactory.create_batch(2, stock=9)
    cart, holder = ready_cart({lamp.pk: 1})

    def place():
        try:
            return checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            carts.add_item(
                holder=holder, cart_id=cart.pk, variant=chair.pk, quantity=2, version=None
            )
            placing = pool.submit(place)
            with connection.cursor() as cursor:
                while not cursor.execute(WAITING).fetchone()[0]:
                    time.sleep(0.01)
        lines = placing.result().whole.lines

    assert {line.variant_id: line.quantity for line in lines} == {lamp.pk: 1, chair.pk: 2}
