"""Many at once want the same thing: exactly as much is sold as there is."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from shopper import Shopper, code_of

BUYERS = 32
UNITS = 200
ATTEMPTS = 300


@pytest.mark.parametrize("time_in_a_row", range(1, 11))
def test_32_buyers_of_200_units_buy_exactly_200(api, staff, time_in_a_row):
    product = staff.add_product(on_hand=UNITS)
    variant_id = product["variants"][0]["id"]

    def prepare(_: int) -> tuple[Shopper, str]:
        buyer = Shopper(api)
        return buyer, buyer.prepare_cart({variant_id: 1})

    with ThreadPoolExecutor(BUYERS) as pool:
        carts = list(pool.map(prepare, range(ATTEMPTS)))
        began = time.monotonic()
        answers = list(pool.map(lambda each: each[0].check_out(each[1]), carts))
        seconds = time.monotonic() - began

    codes = [(answer.status_code, code_of(answer)) for answer in answers]
    print(f"{time_in_a_row}: {ATTEMPTS / seconds:.0f} checkouts/s, {seconds:.1f} s")
    assert sorted(set(codes)) == [(201, ""), (409, "out_of_stock")]
    assert codes.count((201, "")) == UNITS
    stock = staff.stock_of(product)
    assert stock["available"] == 0
    assert stock["on_hand"] == stock["reserved"]
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
