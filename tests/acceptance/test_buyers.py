"""Many at once want the same thing: exactly as much is sold as there is."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Barrier

import httpx
import pytest
from shopper import Shopper, code_of

BUYERS = 32
UNITS = 200
ATTEMPTS = 300


@pytest.mark.local  # 3,000 checkouts are more than a provider's test account takes
@pytest.mark.parametrize("time_in_a_row", range(1, 11))
def test_32_buyers_of_200_units_buy_exactly_200(api, staff, say, time_in_a_row):
    product = staff.add_product(on_hand=UNITS)
    variant_id = product["variants"][0]["id"]
    carts: SimpleQueue[tuple[Shopper, str]] = SimpleQueue()

    def prepare(_: int) -> None:
        buyer = Shopper(api)
        carts.put((buyer, buyer.prepare_cart({variant_id: 1})))

    def check_out(_: int) -> httpx.Response:
        buyer, cart_id = carts.get()
        answer = buyer.check_out(cart_id)
        if not answer.is_success:  # the same cart, another try
            carts.put((buyer, cart_id))
        return answer

    with ThreadPoolExecutor(BUYERS) as pool:
        # Every sold unit takes a cart away; enough are left for all buyers to go on trying.
        list(pool.map(prepare, range(UNITS + BUYERS)))
        began = time.monotonic()
        answers = list(pool.map(check_out, range(ATTEMPTS)))
        seconds = time.monotonic() - began

    outcomes = Counter((answer.status_code, code_of(answer)) for answer in answers)
    say(f"{BUYERS} buyers, time {time_in_a_row}: {ATTEMPTS / seconds:.0f} checkouts/s")
    assert outcomes == {(201, ""): UNITS, (409, "out_of_stock"): ATTEMPTS - UNITS}
    stock = staff.stock_of(product)
    assert stock["available"] == 0
    assert stock["on_hand"] == stock["reserved"] + stock["allocated"]
    sold = {answer.json()["id"] for answer in answers if answer.is_success}
    orders = staff.orders_of(product)
    assert len(orders) == UNITS
    assert {order["id"] for order in orders} == sold
    assert {item["quantity"] for order in orders for item in order["items"]} == {1}


def test_20_parallel_checkouts_of_one_cart_make_one_order(api, staff, customer):
    product = staff.add_product(on_hand=100)
    cart_id = customer.prepare_cart({product["variants"][0]["id"]: 3})
    together = Barrier(20)

    def check_out(_: int):
        together.wait()
        return customer.check_out(cart_id)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(check_out, range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(customer.get("/orders")["results"]) == 1
    assert len(staff.orders_of(product)) == 1
    stock = staff.stock_of(product)
    assert stock["available"] == 97


def test_20_parallel_checkouts_under_one_key_have_one_effect(api, staff, customer):
    product = staff.add_product(on_hand=100)
    cart_id = customer.prepare_cart({product["variants"][0]["id"]: 1})
    customer.patience = 30
    together = Barrier(20)

    def check_out(_: int):
        together.wait()
        return customer.check_out(cart_id, key="one key for all")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(check_out, range(20)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer for answer in answers if "Idempotent-Replayed" in answer.headers]
    assert len(replayed) == 19
    assert staff.stock_of(product)["available"] == 99
