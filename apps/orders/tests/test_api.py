"""The promises of carts, checkout and orders over HTTP."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import (
    PriceFactory,
    PriceListFactory,
    ProductFactory,
    VariantFactory,
)
from apps.orders.models import Cart, Order, PaymentAttempt
from apps.orders.tests.factories import ADDRESS, placed_order, ready_cart
from apps.users.tests.factories import (
    CustomerGroupFactory,
    StaffFactory,
    UserFactory,
    access_token_for,
)

pytestmark = pytest.mark.django_db

VISA = {"provider": "stripe", "method": "pm_card_visa"}


@pytest.fixture
def guest():
    return APIClient()


def customer_client(user=None):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token_for(user or UserFactory())}")
    return client


def opened(client):
    answer = client.post("/api/v1/carts", {})
    assert answer.status_code == 201
    if answer.json()["token"]:
        client.credentials(HTTP_X_CART_TOKEN=answer.json()["token"])
    return answer.json()


def filled(client, quantity=2, **variant):
    cart = opened(client)
    variant = VariantFactory(**{"stock": 10, **variant})
    path = f"/api/v1/carts/{cart['id']}"
    client.post(f"{path}/items", {"variant_id": str(variant.pk), "quantity": quantity})
    client.put(f"{path}/shipping-address", ADDRESS)
    client.put(f"{path}/email", {"email": "robin@example.com"})
    client.put(f"{path}/shipping-option", {"code": "standard"})
    return path, variant


def check_out(client, path, key=None, **body):
    return client.post(
        f"{path}/checkout",
        {"payment": VISA} | body,
        headers={"Idempotency-Key": key or uuid4().hex},
    )


def test_a_guest_opens_a_cart_and_gets_its_token_once(guest):
    cart = opened(guest)

    assert cart == {
        "id": cart["id"],
        "token": cart["token"],
        "currency": "USD",
        "email": "",
        "items": [],
        "coupons": [],
        "gift_cards": [],
        "store_credit": None,
        "shipping_address": None,
        "shipping_option": None,
        "discounts": [],
        "taxes": [],
        "totals": {
            part: {"amount": "0.00", "currency": "USD"}
            for part in (
                *("items", "discount", "shipping", "tax", "tax_included"),
                *("grand_total", "to_pay"),
            )
        },
        "problems": [
            {"code": "cart_is_empty", "detail": "There is nothing in the cart.", "facts": {}},
            {"code": "email_missing", "detail": "Say where the confirmation goes.", "facts": {}},
            {
                "code": "shipping_address_missing",
                "detail": "Say where the parcel goes.",
                "facts": {},
            },
        ],
        "version": 1,
    }
    assert len(cart["token"]) >= 43
    again = guest.get(f"/api/v1/carts/{cart['id']}").json()
    assert again["token"] is None
    assert Cart.objects.get().token_hash not in {"", cart["token"]}


@pytest.mark.parametrize("token", ["", "x", None, "0" * 500, "ä", "\x7f"])
def test_without_the_token_there_is_no_such_cart(guest, token):
    cart = opened(guest)
    stranger = APIClient()
    headers = {} if token is None else {"X-Cart-Token": token}

    answer = stranger.get(f"/api/v1/carts/{cart['id']}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_cart")


def test_a_customers_cart_is_found_again_and_belongs_to_nobody_else():
    customer = customer_client()
    cart = opened(customer)

    assert customer.get("/api/v1/carts/current").json()["id"] == cart["id"]
    assert customer_client().get(f"/api/v1/carts/{cart['id']}").status_code == 404
    assert APIClient().get(f"/api/v1/carts/{cart['id']}").status_code == 404


def test_a_cart_explains_its_price_when_it_is_asked(guest):
    path, variant = filled(guest)
    PriceFactory(variant=variant, price_list=PriceListFactory(code="spring"), amount_minor=900)

    explained = guest.get(f"{path}?explain=true").json()

    assert explained["explanation"][0] == {
        "kind": "price_list",
        "key": "list:spring",
        "outcome": "applied",
        "facts": {"skus": [variant.sku]},
    }
    for plain in (path, f"{path}?explain=false"):
        assert "explanation" not in guest.get(plain).json()
    for unknown in ("explain=yes", "explain=", "explain=true&explain=true", "why=true"):
        answer = guest.get(f"{path}?{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


def test_lines_of_one_variant_become_one_line(guest):
    path, variant = filled(guest, quantity=2)

    cart = guest.post(f"{path}/items", {"sku": variant.sku.lower(), "quantity": 3}).json()

    [item] = cart["items"]
    assert item["quantity"] == 5
    assert item["sku"] == variant.sku
    assert item["total"] == {"amount": "50.00", "currency": "USD"}
    assert cart["totals"]["items"] == item["total"]


def test_quantities_change_and_lines_go(guest):
    path, _ = filled(guest)
    item = guest.get(path).json()["items"][0]["id"]

    assert guest.patch(f"{path}/items/{item}", {"quantity": 7}).json()["items"][0]["quantity"] == 7
    assert guest.patch(f"{path}/items/{item}", {"quantity": 0}).json()["items"] == []
    assert guest.delete(f"{path}/items/{item}").json()["code"] == "unknown_item"


def test_all_lines_are_replaced_at_once(guest):
    path, _ = filled(guest)
    other = VariantFactory(stock=4)

    cart = guest.put(
        f"{path}/items", {"items": [{"variant_id": str(other.pk), "quantity": 4}]}
    ).json()

    assert [(item["sku"], item["quantity"]) for item in cart["items"]] == [(other.sku, 4)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "validation_failed"),
        ({"quantity": 1}, 400, "validation_failed"),
        ({"variant_id": "x", "quantity": 1}, 400, "validation_failed"),
        ({"sku": "A", "quantity": 0}, 400, "validation_failed"),
        ({"sku": "A", "quantity": -1}, 400, "validation_failed"),
        ({"sku": "A", "quantity": 1000}, 400, "validation_failed"),
        ({"sku": "A", "quantity": 2**63}, 400, "validation_failed"),
        ({"sku": "A", "quantity": 1.0}, 400, "validation_failed"),
        ({"sku": "A", "quantity": "1"}, 400, "validation_failed"),
        ({"sku": "A", "quantity": True}, 400, "validation_failed"),
        ({"sku": 7, "quantity": 1}, 400, "validation_failed"),
        ({"sku": "A" * 65, "quantity": 1}, 400, "validation_failed"),
        ({"sku": "A", "quantity": 1, "price": "0.01"}, 400, "validation_failed"),
        ({"sku": "A", "variant_id": str(uuid4()), "quantity": 1}, 400, "validation_failed"),
        ({"sku": "nothing-like-this", "quantity": 1}, 404, "unknown_variant"),
        ({"variant_id": str(uuid4()), "quantity": 1}, 404, "unknown_variant"),
    ],
)
def test_a_bad_line_is_refused_and_changes_nothing(guest, body, status, code):
    cart = opened(guest)
    path = f"/api/v1/carts/{cart['id']}"

    answer = guest.post(f"{path}/items", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert guest.get(path).json()["version"] == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "validation_failed"),
        (b"{", 400, "malformed_body"),
        (b"[]", 400, "malformed_body"),
        (b'"x"', 400, "malformed_body"),
        (b'{"sku":"a\\u0000b","quantity":1}', 400, "malformed_body"),
        (b'{"sku":"\\ud800","quantity":1}', 400, "malformed_body"),
        (b'{"sku":"A","quantity":NaN}', 400, "malformed_body"),
        (b'{"sku":"' + b"x" * 1024 * 1024 + b'"}', 413, "body_too_large"),
        (b"[" * 100_000, 400, "malformed_body"),
    ],
)
def test_a_bad_body_is_refused(guest, body, status, code):
    cart = opened(guest)

    answer = guest.post(f"/api/v1/carts/{cart['id']}/items", body, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_more_than_999_of_one_thing_is_refused(guest):
    path, variant = filled(guest, quantity=999)

    answer = guest.post(f"{path}/items", {"sku": variant.sku, "quantity": 1})

    assert (answer.status_code, answer.json()["code"]) == (422, "quantity_too_large")
    assert guest.get(path).json()["items"][0]["quantity"] == 999


def test_a_draft_product_cannot_be_put_into_a_cart(guest):
    cart = opened(guest)
    hidden = VariantFactory(product=ProductFactory(status="draft"))

    answer = guest.post(f"/api/v1/carts/{cart['id']}/items", {"sku": hidden.sku, "quantity": 1})

    assert answer.json()["code"] == "unknown_variant"


@pytest.mark.parametrize(
    "change",
    [
        {"country": "XX"},
        {"country": "us"},
        {"country": 1},
        {"line1": ""},
        {"line1": None},
        {"line1": "x" * 201},
        {"postal_code": 12345},
        {"planet": "Mars"},
        {"last_name": ["Doe"]},
    ],
)
def test_a_bad_address_is_refused(guest, change):
    cart = opened(guest)

    answer = guest.put(f"/api/v1/carts/{cart['id']}/shipping-address", ADDRESS | change)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(change))}"


def test_shipping_options_need_an_address_and_have_prices_and_dates(guest):
    cart = opened(guest)
    path = f"/api/v1/carts/{cart['id']}"
    assert guest.get(f"{path}/shipping-options").json()["code"] == "shipping_address_missing"
    guest.put(f"{path}/shipping-address", ADDRESS)

    options = guest.get(f"{path}/shipping-options").json()["results"]

    assert [(o["code"], o["price"]["amount"]) for o in options] == [
        ("standard", "5.00"),
        ("express", "14.00"),
    ]
    assert all(
        o["estimated_delivery"]["earliest"] <= o["estimated_delivery"]["latest"] for o in options
    )
    answer = guest.put(f"{path}/shipping-option", {"code": "teleport"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_shipping_option")


def test_a_stale_etag_is_refused_and_a_fresh_one_is_taken(guest):
    cart = opened(guest)
    path = f"/api/v1/carts/{cart['id']}"
    etag = guest.get(path)["ETag"]
    variant = VariantFactory(stock=5)
    line = {"sku": variant.sku, "quantity": 1}

    assert guest.post(f"{path}/items", line, headers={"If-Match": etag}).status_code == 200
    stale = guest.post(f"{path}/items", line, headers={"If-Match": etag})

    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert guest.get(path).json()["items"][0]["quantity"] == 1
    assert guest.get(path, headers={"If-None-Match": guest.get(path)["ETag"]}).status_code == 304
    assert guest.delete(path, headers={"If-Match": "nonsense"}).json()["code"] == "etag_malformed"


def test_checkout_answers_the_order(guest):
    path, variant = filled(guest)

    answer = check_out(guest, path)

    order = answer.json()
    stored = Order.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/orders/{stored.pk}"
    assert order["number"] == stored.shown_number
    assert order["status"] == "pending_payment"
    assert order["totals"] == {
        "items": {"amount": "20.00", "currency": "USD"},
        "discount": {"amount": "0.00", "currency": "USD"},
        "shipping": {"amount": "5.00", "currency": "USD"},
        "tax": {"amount": "0.00", "currency": "USD"},
        "tax_included": {"amount": "0.00", "currency": "USD"},
        "grand_total": {"amount": "25.00", "currency": "USD"},
        "to_pay": {"amount": "25.00", "currency": "USD"},
    }
    [payment] = order["payments"]
    assert payment["status"] == "created"
    assert payment["amount"] == order["totals"]["grand_total"]
    assert order["shipping_address"] == ADDRESS
    assert order["shipments"] == []
    assert [(i["sku"], i["quantity"]) for i in order["items"]] == [(variant.sku, 2)]
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 8


def test_a_guest_reads_the_order_with_its_token_only(guest):
    path, _ = filled(guest)
    order = check_out(guest, path).json()
    own = APIClient(headers={"X-Order-Token": order["token"]})

    read = own.get(f"/api/v1/orders/{order['id']}").json()

    assert read == {name: value for name, value in order.items() if name != "token"}
    for token in (
        "",
        "x",
        order["token"][:-1],
        order["token"] + "x",
        guest._credentials.get("HTTP_X_CART_TOKEN"),
    ):
        stranger = APIClient(headers={"X-Order-Token": token})
        assert stranger.get(f"/api/v1/orders/{order['id']}").status_code == 404


def test_the_same_key_gives_the_same_answer_byte_for_byte(guest):
    path, _ = filled(guest)

    first = check_out(guest, path, key="one")
    second = check_out(guest, path, key="one")

    assert second.status_code == first.status_code == 201
    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"
    assert second["Location"] == first["Location"]
    assert Order.objects.count() == PaymentAttempt.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(guest):
    path, _ = filled(guest)
    check_out(guest, path, key="one")

    answer = check_out(guest, path, key="one", email="other@example.com")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_another_key_on_the_same_cart_gives_the_same_order(guest):
    path, _ = filled(guest)
    first = check_out(guest, path).json()

    second = check_out(guest, path)

    assert second.status_code == 200
    assert second.json()["id"] == first["id"]
    assert "token" not in second.json()
    assert Order.objects.count() == 1


def test_checkout_without_a_key_is_refused(guest):
    path, _ = filled(guest)

    answer = guest.post(f"{path}/checkout", {"payment": VISA})

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert not Order.objects.exists()


def test_an_unfinished_cart_is_not_ordered_and_says_why(guest):
    cart = opened(guest)

    answer = check_out(guest, f"/api/v1/carts/{cart['id']}")

    assert (answer.status_code, answer.json()["code"]) == (409, "cart_not_ready")
    assert [p["code"] for p in answer.json()["facts"]["problems"]] == [
        "cart_is_empty",
        "email_missing",
        "shipping_address_missing",
    ]
    assert guest.get(f"/api/v1/carts/{cart['id']}").json()["version"] == 1


def test_a_refused_checkout_may_be_repeated_under_its_key_once_the_cause_is_gone(guest):
    path, variant = filled(guest, quantity=11)
    refused = check_out(guest, path, key="one")
    assert (refused.status_code, refused.json()["code"]) == (409, "out_of_stock")
    assert refused.json()["facts"] == {"skus": [variant.sku]}
    catalog.receive(quantities={variant.pk: 1}, reason="goods in")

    answer = check_out(guest, path, key="one")

    assert answer.status_code == 201


def test_out_of_stock_changes_nothing(guest):
    path, variant = filled(guest, quantity=11)

    check_out(guest, path)

    assert not Order.objects.exists()
    assert not PaymentAttempt.objects.exists()
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 10
    assert guest.get(path).json()["problems"][0]["code"] == "insufficient_stock"


def test_a_total_that_the_shopper_did_not_agree_to_is_refused(guest):
    path, variant = filled(guest)
    seen = guest.get(path).json()["totals"]["grand_total"]
    variant.price_minor = 1100
    variant.save()

    answer = check_out(guest, path, expected_total=seen)

    assert (answer.status_code, answer.json()["code"]) == (409, "total_changed")
    assert answer.json()["facts"]["grand_total"] == {"amount": "27.00", "currency": "USD"}
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"payment": None}, 400),
        ({"payment": {}}, 400),
        ({"payment": {"provider": "cash"}}, 422),
        ({"payment": {"provider": "stripe", "method": 5}}, 400),
        ({"payment": {"provider": "stripe", "method": "4242424242424242"}}, 400),
        ({"payment": {"provider": "stripe", "method": "4242 4242 4242 4242"}}, 400),
        ({"payment": VISA, "email": "no address"}, 400),
        ({"payment": VISA, "status": "paid"}, 400),
        ({"payment": VISA, "expected_total": 25.0}, 400),
        ({"payment": VISA, "expected_total": {"amount": "25.001", "currency": "USD"}}, 400),
        ({"payment": VISA, "expected_total": {"amount": "25.00", "currency": "EUR"}}, 400),
    ],
)
def test_a_bad_checkout_is_refused(guest, body, status):
    path, _ = filled(guest)

    answer = guest.post(f"{path}/checkout", body, headers={"Idempotency-Key": "k"})

    assert answer.status_code == status
    assert not Order.objects.exists()


def test_an_ordered_cart_does_not_change_any_more(guest):
    path, variant = filled(guest)
    check_out(guest, path)

    answer = guest.post(f"{path}/items", {"sku": variant.sku, "quantity": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "cart_is_ordered")


def test_customers_see_their_own_orders_newest_first_in_pages():
    user = UserFactory()
    customer = customer_client(user)
    numbers = []
    for _ in range(3):
        path, _ = filled(customer)
        numbers.append(check_out(customer, path).json()["number"])
    placed_order()

    first = customer.get("/api/v1/orders?limit=2&include=count").json()
    second = customer.get(first["next"]).json()

    assert [o["number"] for o in first["results"]] == numbers[:0:-1]
    assert [o["number"] for o in second["results"]] == numbers[:1]
    assert (first["count"], first["count_capped"]) == (3, False)
    assert second["next"] is None
    assert customer.get(second["previous"]).json()["results"] == first["results"]
    assert first["results"][0]["email"] == "robin@example.com"


def test_the_list_costs_the_same_whatever_its_length(django_assert_num_queries):
    user = UserFactory()
    customer = customer_client(user)
    for _ in range(4):
        path, _ = filled(customer)
        check_out(customer, path)

    for limit in (1, 4):
        with django_assert_num_queries(7):
            customer.get(f"/api/v1/orders?limit={limit}")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=x",
        "before=%00",
        "page=2",
        "sort=email",
        "filter[status]=none",
        "limit=1&limit=2",
        "after=W10&before=W10",
        "after=WzEsMl0",
    ],
)
def test_a_bad_query_of_the_list_is_refused(query):
    answer = customer_client().get(f"/api/v1/orders?{query}")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_the_list_asks_for_a_login(guest):
    answer = guest.get("/api/v1/orders")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_somebody_elses_order_does_not_exist():
    order, _ = placed_order()
    for client in (customer_client(), APIClient(), customer_client(StaffFactory())):
        assert client.get(f"/api/v1/orders/{order.pk}").status_code == 404
        assert client.get(f"/api/v1/orders/{order.pk}/events").status_code == 404
        for action in ("cancellations", "payments"):
            answer = client.post(
                f"/api/v1/orders/{order.pk}/{action}",
                {"payment": VISA} if action == "payments" else {},
                headers={"Idempotency-Key": "k"},
            )
            assert answer.status_code == 404


def test_staff_with_the_permission_see_every_order():
    order, _ = placed_order()
    staff = customer_client(StaffFactory(permissions=["orders.view_order"]))

    assert staff.get(f"/api/v1/orders/{order.pk}").json()["number"] == order.shown_number
    assert len(staff.get("/api/v1/orders").json()["results"]) == 1


def test_who_may_only_see_orders_neither_cancels_nor_pays_them():
    order, _ = placed_order()
    viewer = customer_client(StaffFactory(permissions=["orders.view_order"]))
    canceller = customer_client(
        StaffFactory(permissions=["orders.view_order", "orders.cancel_order"])
    )
    path = f"/api/v1/orders/{order.pk}"

    refused = viewer.post(f"{path}/cancellations", {}, headers={"Idempotency-Key": "a"})
    unpaid = viewer.post(f"{path}/payments", {"payment": VISA}, headers={"Idempotency-Key": "b"})

    assert (refused.status_code, refused.json()["code"]) == (403, "cancellation_not_allowed")
    assert (unpaid.status_code, unpaid.json()["code"]) == (403, "not_the_buyer")
    order.refresh_from_db()
    assert order.status == "pending_payment"
    answer = canceller.post(f"{path}/cancellations", {}, headers={"Idempotency-Key": "c"})
    assert (answer.status_code, answer.json()["status"]) == (201, "cancelled")


def test_a_guest_cancels_an_unpaid_order_once():
    variant = VariantFactory(stock=3)
    order, holder = placed_order({variant.pk: 3})
    guest = APIClient(headers={"X-Order-Token": holder.token})
    path = f"/api/v1/orders/{order.pk}/cancellations"

    answer = guest.post(path, {"reason": "Too slow."}, headers={"Idempotency-Key": "a"})
    again = guest.post(path, {}, headers={"Idempotency-Key": "b"})

    assert (answer.status_code, answer.json()["status"]) == (201, "cancelled")
    assert (again.status_code, again.json()["code"]) == (409, "order_status_conflict")
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 3
    events = guest.get(f"/api/v1/orders/{order.pk}/events").json()["results"]
    assert [(e["status"], e["reason"]) for e in events] == [
        ("pending_payment", ""),
        ("cancelled", "Too slow."),
    ]


def test_malformed_ids_are_bad_requests(guest):
    for path in ("carts/x", "orders/1", "orders/%00", "carts/x/items/y"):
        answer = guest.get(f"/api/v1/{path}")
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"


def statements(captured):
    control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    # Of a statement that Django cannot write down there is no text.
    return [q["sql"] for q in captured if not str(q["sql"]).startswith(control)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lines", [1, 100])
def test_placing_an_order_costs_13_statements_whatever_its_length(guest, lines):
    cart, holder = ready_cart({VariantFactory(stock=9).pk: 2 for _ in range(lines)})
    guest.credentials(HTTP_X_CART_TOKEN=holder.token)

    with CaptureQueriesContext(connection) as captured:
        answer = check_out(guest, f"/api/v1/carts/{cart.pk}")

    assert answer.status_code == 201
    assert len(statements(captured)) == 13


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lines", [1, 100])
def test_reading_a_cart_costs_4_statements_and_adding_to_it_6(guest, lines):
    variants = [VariantFactory(stock=9) for _ in range(lines)]
    cart, holder = ready_cart({variant.pk: 2 for variant in variants})
    guest.credentials(HTTP_X_CART_TOKEN=holder.token)
    path = f"/api/v1/carts/{cart.pk}"

    with CaptureQueriesContext(connection) as reading:
        assert guest.get(path).status_code == 200
    with CaptureQueriesContext(connection) as adding:
        added = guest.post(f"{path}/items", {"sku": variants[0].sku, "quantity": 1})

    assert added.status_code == 200
    assert (len(statements(reading)), len(statements(adding))) == (4, 6)


def test_a_member_of_a_group_pays_what_its_list_says_by_quantity_and_the_order_keeps_it(guest):
    member = UserFactory(customer_group=CustomerGroupFactory())
    variant = VariantFactory(price_minor=1000, stock=50)
    price_list = PriceListFactory(customer_group_id=member.customer_group_id)
    PriceFactory(variant=variant, price_list=price_list, amount_minor=900)
    PriceFactory(variant=variant, price_list=price_list, amount_minor=750, min_quantity=3)
    client = customer_client(member)

    def prices(client, quantity):
        path = f"/api/v1/carts/{opened(client)['id']}"
        items = [{"variant_id": str(variant.pk), "quantity": quantity}]
        (item,) = client.put(f"{path}/items", {"items": items}).json()["items"]
        return item["unit_price"]["amount"], item["total"]["amount"]

    assert prices(guest, 3) == ("10.00", "30.00")
    assert prices(client, 2) == ("9.00", "18.00")
    assert prices(client, 3) == ("7.50", "22.50")
    path = f"/api/v1/carts/{client.get('/api/v1/carts/current').json()['id']}"
    client.put(f"{path}/shipping-address", ADDRESS)
    client.put(f"{path}/shipping-option", {"code": "standard"})
    order = check_out(client, path).json()
    PriceFactory(variant=variant, amount_minor=1)
    (line,) = client.get(f"/api/v1/orders/{order['id']}").json()["items"]
    assert (line["unit_price"]["amount"], line["total"]["amount"]) == ("7.50", "22.50")
