"""A running store as shoppers meet it: over HTTP, and nothing but HTTP."""

from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from running_store import eventually
from shopper import (
    ADDRESS,
    CARD,
    CARD_WITH_CHALLENGE,
    DECLINED_CARD,
    Shopper,
    code_of,
    for_sale,
    paying_with,
    variant_of,
)

PATIENCE = 60
ARRIVED = ["pending_payment", "paid", "fulfilling", "completed"]


def bought(somebody: Shopper, *, method: str = CARD) -> dict:
    """Order one piece of something and return the order as checkout answered it."""
    return somebody.buy({variant_of(for_sale(somebody))["id"]: 1}, method=method)


def when(somebody: Shopper, order: dict, condition) -> dict:
    """Return the order as soon as it is like that."""
    return eventually(lambda: somebody.order(order["id"]), condition, patience=PATIENCE)


def is_completed(order: dict) -> bool:
    return order["status"] == "completed"


def statuses_of_payments(order: dict) -> list[str]:
    return [payment["status"] for payment in order["payments"]]


def steps(somebody: Shopper, order: dict) -> list[str]:
    return [step["status"] for step in somebody.get(f"/orders/{order['id']}/events")["results"]]


def minor(money: dict) -> int:
    assert money["currency"] == "USD"
    return round(float(money["amount"]) * 100)


# Buying


def test_a_customer_registers_browses_buys_and_gets_a_parcel(guest, mailbox):
    customer = guest

    profile = customer.register(mailbox)
    assert profile["email"] == customer.email
    customer.log_in()
    assert customer.get("/users/me") == profile

    [category, *_] = [
        each for each in customer.get("/categories")["results"] if each["product_count"]
    ]
    below = customer.get(
        f"/products?filter[category]={category['slug']}&filter[availability]=in_stock&sort=price"
    )["results"]
    prices = [minor(product["price"]) for product in below]
    assert below
    assert prices == sorted(prices)
    amount = below[-1]["price"]["amount"]
    alike = customer.get(
        f"/products?filter[category]={category['id']}"
        f"&filter[price][gte]={amount}&filter[price][lte]={amount}&sort=-price"
    )["results"]
    assert {minor(product["price"]) for product in alike} == {prices[-1]}

    product = customer.get(f"/products/{below[0]['id']}")
    assert customer.get(f"/products/{product['slug']}") == product
    inventory = customer.get(f"/inventory/{product['id']}")
    assert inventory["availability"] == "in_stock"
    assert "on_hand" not in inventory["variants"][0]
    variant = variant_of(product)

    cart = customer.open_cart()
    assert cart["token"] is None
    path = f"/carts/{cart['id']}"
    customer.told("POST", f"{path}/items", {"sku": variant["sku"], "quantity": 1}, status=200)
    customer.told("POST", f"{path}/items", {"variant_id": variant["id"], "quantity": 1}, status=200)
    cart = customer.told("PUT", f"{path}/shipping-address", ADDRESS, status=200)
    assert [problem["code"] for problem in cart["problems"]] == ["shipping_option_missing"]
    assert customer.get("/carts/current") == cart
    option = customer.get(f"{path}/shipping-options")["results"][0]
    cart = customer.told("PUT", f"{path}/shipping-option", {"code": option["code"]}, status=200)
    assert cart["problems"] == []
    assert cart["email"] == customer.email
    assert [item["quantity"] for item in cart["items"]] == [2]
    totals = {name: minor(money) for name, money in cart["totals"].items()}
    assert totals["items"] == 2 * minor(variant["price"])
    assert totals["grand_total"] == totals["items"] + minor(option["price"])

    order = customer.told(
        "POST",
        f"{path}/checkout",
        {**paying_with(CARD), "expected_total": cart["totals"]["grand_total"]},
        key=uuid4().hex,
        status=201,
    )
    assert "token" not in order
    assert order["status"] == "pending_payment"
    assert order["totals"] == cart["totals"]

    done = when(customer, order, is_completed)
    [payment], [parcel] = done["payments"], done["shipments"]
    assert (payment["status"], payment["amount"]) == ("captured", done["totals"]["grand_total"])
    assert parcel["status"] == "delivered"
    assert parcel["items"] == [{"sku": variant["sku"], "quantity": 2}]
    assert parcel["tracking_number"]
    assert steps(customer, order) == ARRIVED

    history = customer.get("/orders")
    assert [each["id"] for each in history["results"]] == [order["id"]]
    assert history["results"][0] == done
    assert history["next"] is None

    customer.told("POST", "/auth/logout", {}, status=204)
    assert customer.ask("GET", "/orders").status_code == 401


def test_a_guest_buys_and_gets_a_parcel_with_nothing_but_tokens(guest, api, customer):
    order = bought(guest)

    assert order["token"]
    done = when(guest, order, is_completed)
    assert "token" not in done
    assert statuses_of_payments(done) == ["captured"]
    assert done["shipments"][0]["tracking_number"]
    assert steps(guest, order) == ARRIVED
    for nobody in (Shopper(api), customer):
        assert nobody.ask("GET", f"/orders/{order['id']}").status_code == 404
        assert nobody.ask("GET", f"/orders/{order['id']}/events").status_code == 404
    assert guest.ask("GET", "/orders").status_code == 401


def test_a_declined_card_leaves_the_order_to_be_paid_with_another(guest):
    order = bought(guest, method=DECLINED_CARD)
    declined = when(guest, order, lambda now: statuses_of_payments(now) == ["failed"])
    assert declined["status"] == "pending_payment"
    assert declined["payments"][0]["failure_code"] == "card_declined"
    path, key = f"/orders/{order['id']}/payments", uuid4().hex

    again = guest.told("POST", path, paying_with(CARD), key=key, status=201)
    under_way = guest.ask("POST", path, paying_with(CARD), key=uuid4().hex)

    assert len(again["payments"]) == 2
    assert (under_way.status_code, code_of(under_way)) in {
        (409, "payment_under_way"),
        (409, "order_status_conflict"),
    }
    done = when(guest, order, is_completed)
    assert statuses_of_payments(done) == ["failed", "captured"]
    assert steps(guest, order) == ARRIVED


@pytest.mark.local  # the bank's page is the sandbox's
@pytest.mark.parametrize(
    ("outcome", "status", "payment"),
    [("authorise", "completed", "captured"), ("refuse", "pending_payment", "failed")],
)
def test_the_bank_asks_the_shopper_and_does_as_told(guest, outcome, status, payment):
    order = bought(guest, method=CARD_WITH_CHALLENGE)
    asked = when(guest, order, lambda now: statuses_of_payments(now) == ["requires_action"])
    page = asked["payments"][0]["next_action"]["redirect_url"]
    assert httpx.get(page).status_code == 200

    answer = httpx.post(page, data={"outcome": outcome})

    way_back = urlsplit(answer.headers["Location"])
    assert answer.status_code == 303
    assert way_back.netloc == guest.http.base_url.netloc.decode()
    done = when(
        guest, order, lambda now: (now["status"], statuses_of_payments(now)) == (status, [payment])
    )
    assert bool(done["shipments"]) == (outcome == "authorise")


# Repeating


def test_a_repeated_checkout_gives_the_same_answer_and_no_second_order(customer):
    cart_id = customer.prepare_cart({variant_of(for_sale(customer))["id"]: 1})
    key = uuid4().hex

    first = customer.check_out(cart_id, key=key)
    replayed = customer.check_out(cart_id, key=key)
    with_new_key = customer.check_out(cart_id)
    with_other_words = customer.check_out(cart_id, key=key, method=DECLINED_CARD)
    without_key = customer.ask("POST", f"/carts/{cart_id}/checkout", paying_with(CARD))

    assert first.status_code == replayed.status_code == 201
    assert "Idempotent-Replayed" not in first.headers
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert replayed.content == first.content
    assert (replayed.headers["ETag"], replayed.headers["Location"]) == (
        first.headers["ETag"],
        first.headers["Location"],
    )
    assert (with_new_key.status_code, with_new_key.json()["id"]) == (200, first.json()["id"])
    assert (with_other_words.status_code, code_of(with_other_words)) == (
        422,
        "idempotency_key_reused",
    )
    assert (without_key.status_code, code_of(without_key)) == (400, "idempotency_key_required")
    assert [order["id"] for order in customer.get("/orders")["results"]] == [first.json()["id"]]
    done = when(customer, first.json(), is_completed)
    assert statuses_of_payments(done) == ["captured"]


def test_a_guests_repeated_checkout_shows_the_token_again(guest):
    cart_id = guest.prepare_cart({variant_of(for_sale(guest))["id"]: 1})
    key = uuid4().hex

    first, replayed = guest.check_out(cart_id, key=key), guest.check_out(cart_id, key=key)
    with_new_key = guest.check_out(cart_id)

    assert replayed.content == first.content
    assert replayed.json()["token"]
    assert with_new_key.json()["id"] == first.json()["id"]
    assert "token" not in with_new_key.json()


# Changing one's mind


def cancel(somebody: Shopper, order: dict) -> httpx.Response:
    return somebody.ask(
        "POST", f"/orders/{order['id']}/cancellations", {"reason": "Too dear."}, key=uuid4().hex
    )


def test_an_order_whose_card_was_declined_can_be_cancelled(guest, staff):
    product = staff.add_product(on_hand=3)
    order = guest.buy({product["variants"][0]["id"]: 2}, method=DECLINED_CARD)
    when(guest, order, lambda now: statuses_of_payments(now) == ["failed"])
    assert staff.stock_of(product)["available"] == 1

    cancelled = cancel(guest, order)

    assert (cancelled.status_code, cancelled.json()["status"]) == (201, "cancelled")
    assert staff.stock_of(product)["available"] == 3
    assert steps(guest, order) == ["pending_payment", "cancelled"]
    again = cancel(guest, order)
    assert (again.status_code, code_of(again)) == (409, "order_status_conflict")
    late = guest.ask("POST", f"/orders/{order['id']}/payments", paying_with(CARD), key="late")
    assert (late.status_code, code_of(late)) == (409, "order_status_conflict")


def test_an_order_cancelled_at_once_keeps_no_money(guest, staff):
    product = staff.add_product(on_hand=2)
    order = guest.buy({product["variants"][0]["id"]: 1})

    cancelled = cancel(guest, order)

    assert (cancelled.status_code, cancelled.json()["status"]) == (201, "cancelled")

    def kept_nothing(now: dict) -> bool:
        [payment] = now["payments"]
        returned = payment["status"] == "captured" and payment["refunded"] == payment["amount"]
        return payment["status"] == "voided" or returned

    assert when(guest, order, kept_nothing)["shipments"] in ([], cancelled.json()["shipments"])
    assert staff.stock_of(product)["available"] == 2


@pytest.mark.local  # the bank's page is the sandbox's
def test_an_order_that_waits_for_the_bank_can_be_cancelled(guest, staff):
    product = staff.add_product(on_hand=2)
    order = guest.buy({product["variants"][0]["id"]: 1}, method=CARD_WITH_CHALLENGE)
    asked = when(guest, order, lambda now: statuses_of_payments(now) == ["requires_action"])

    assert cancel(guest, order).status_code == 201

    when(guest, order, lambda now: statuses_of_payments(now) == ["voided"])
    page = asked["payments"][0]["next_action"]["redirect_url"]
    assert httpx.post(page, data={"outcome": "authorise"}).status_code == 409
    assert guest.order(order["id"])["status"] == "cancelled"
    assert staff.stock_of(product)["available"] == 2


def test_a_delivered_order_cannot_be_cancelled(guest):
    order = bought(guest)
    when(guest, order, is_completed)

    refused = cancel(guest, order)

    assert (refused.status_code, code_of(refused)) == (409, "order_status_conflict")


def test_more_than_there_is_cannot_be_ordered(guest, staff):
    product = staff.add_product(on_hand=1)
    cart_id = guest.prepare_cart({product["variants"][0]["id"]: 2})

    refused = guest.check_out(cart_id)

    assert (refused.status_code, code_of(refused)) == (409, "out_of_stock")
    assert staff.stock_of(product)["reserved"] == 0


# Sessions


def test_a_refresh_token_is_traded_for_the_next_one(customer):
    first = customer.log_in()

    second = customer.told("POST", "/auth/refresh", {"refresh": first["refresh"]}, status=200)

    assert second["refresh"] != first["refresh"]
    assert (second["token_type"], second["expires_in"]) == ("Bearer", 300)
    customer.headers = {"Authorization": f"Bearer {second['access']}"}
    assert customer.get("/users/me")["email"] == customer.email
    customer.told("POST", "/auth/logout", {}, status=204)
    ended = customer.ask("POST", "/auth/refresh", {"refresh": second["refresh"]})
    assert (ended.status_code, code_of(ended)) == (401, "invalid_refresh_token")


def test_a_wrong_password_is_refused(customer):
    answer = customer.ask(
        "POST", "/auth/login", {"email": customer.email, "password": "not the password"}
    )

    assert (answer.status_code, code_of(answer)) == (401, "invalid_credentials")
