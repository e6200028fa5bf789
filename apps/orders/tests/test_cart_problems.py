"""What changed since the shopper looked: told with facts, agreed to by acting on it."""

import pytest
from rest_framework.test import APIClient

from apps.catalog.tests.factories import PriceFactory, PriceListFactory, VariantFactory
from apps.orders.models import Cart, CartItem, Order
from apps.orders.selectors.orders import Holder
from apps.orders.services import carts
from apps.orders.tests.factories import ready_cart
from apps.orders.tests.test_api import check_out, customer_client, filled
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest():
    return APIClient()


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def costs_now(variant, minor):
    variant.price_minor = minor
    variant.save()


def problems_of(client, path):
    return client.get(path).json()["problems"]


def test_a_line_says_what_it_cost_when_the_shopper_last_changed_it(guest):
    path, lamp = filled(guest, price_minor=1000)
    costs_now(lamp, 1250)

    [problem] = problems_of(guest, path)

    assert problem == {
        "code": "price_changed",
        "detail": f"{lamp.sku}: one cost 10.00, now 12.50.",
        "facts": {
            "item_id": guest.get(path).json()["items"][0]["id"],
            "variant_id": str(lamp.pk),
            "before": usd("10.00"),
            "now": usd("12.50"),
        },
    }


def test_a_price_that_is_as_it_was_is_no_problem(guest):
    path, lamp = filled(guest, price_minor=1000)
    costs_now(lamp, 1250)
    costs_now(lamp, 1000)

    assert problems_of(guest, path) == []


@pytest.mark.parametrize("act", ["add", "set", "replace"])
def test_whoever_changes_the_line_has_seen_its_price(guest, act):
    path, lamp = filled(guest, price_minor=1000)
    [line] = guest.get(path).json()["items"]
    costs_now(lamp, 1250)
    assert [each["code"] for each in problems_of(guest, path)] == ["price_changed"]

    item = {"variant_id": str(lamp.pk), "quantity": 2}
    match act:
        case "add":
            answer = guest.post(f"{path}/items", item)
        case "set":
            answer = guest.patch(f"{path}/items/{line['id']}", {"quantity": 2})
        case "replace":
            answer = guest.put(f"{path}/items", {"items": [item]})

    assert answer.json()["problems"] == []
    assert CartItem.objects.get().seen_price_minor == 1250


def test_what_does_not_change_the_line_keeps_the_problem(guest):
    path, lamp = filled(guest, price_minor=1000)
    costs_now(lamp, 900)

    guest.put(f"{path}/email", {"email": "sam@example.com"})
    guest.post(f"{path}/items", {"variant_id": str(VariantFactory(stock=1).pk), "quantity": 1})

    [problem] = problems_of(guest, path)
    assert problem["facts"]["variant_id"] == str(lamp.pk)


def test_the_price_of_more_pieces_is_what_the_shopper_has_seen_of_them(guest):
    path, lamp = filled(guest, price_minor=1000, quantity=1)
    many = PriceListFactory()
    PriceFactory(variant=lamp, price_list=many, amount_minor=750, min_quantity=3)

    answer = guest.post(f"{path}/items", {"variant_id": str(lamp.pk), "quantity": 2})

    assert answer.json()["items"][0]["unit_price"] == usd("7.50")
    assert answer.json()["problems"] == []
    assert CartItem.objects.get().seen_price_minor == 750


def test_a_higher_price_is_ordered_by_who_says_the_new_total_and_by_nobody_else(guest):
    path, lamp = filled(guest, price_minor=1000)
    seen = guest.get(path).json()["totals"]["grand_total"]
    costs_now(lamp, 1250)
    told = guest.get(path).json()["totals"]["grand_total"]

    silent = check_out(guest, path)
    stale = check_out(guest, path, expected_total=seen)

    assert (silent.status_code, silent.json()["code"]) == (409, "cart_not_ready")
    [problem] = silent.json()["facts"]["problems"]
    assert (problem["code"], problem["facts"]["now"]) == ("price_changed", usd("12.50"))
    assert (stale.status_code, stale.json()["code"]) == (409, "total_changed")
    assert not Order.objects.exists()
    agreed = check_out(guest, path, expected_total=told)
    assert (agreed.status_code, agreed.json()["totals"]["grand_total"]) == (201, told)


def test_a_lower_price_is_told_and_keeps_nobody_from_ordering(guest):
    path, lamp = filled(guest, price_minor=1000)
    costs_now(lamp, 900)
    assert [each["code"] for each in problems_of(guest, path)] == ["price_changed"]

    order = check_out(guest, path)

    assert (order.status_code, order.json()["totals"]["items"]) == (201, usd("18.00"))


def test_a_line_from_before_prices_were_remembered_is_ordered_as_ever(guest):
    path, lamp = filled(guest, price_minor=1000)
    CartItem.objects.update(seen_price_minor=None)
    costs_now(lamp, 1250)

    assert problems_of(guest, path) == []
    assert check_out(guest, path).status_code == 201


def test_problems_of_stock_and_of_what_is_sold_no_more_have_facts(guest):
    path, lamp = filled(guest, quantity=11)
    chair = VariantFactory(stock=5)
    guest.post(f"{path}/items", {"variant_id": str(chair.pk), "quantity": 1})
    lamps, chairs = guest.get(path).json()["items"]
    chair.product.status = "archived"
    chair.product.save()

    short, gone = problems_of(guest, path)

    assert (short["code"], short["facts"]) == (
        "insufficient_stock",
        {"item_id": lamps["id"], "variant_id": str(lamp.pk), "wanted": 11, "available": 10},
    )
    assert (gone["code"], gone["facts"]) == (
        "item_unavailable",
        {"item_id": chairs["id"], "variant_id": str(chair.pk)},
    )


def test_a_line_that_is_sold_no_more_can_be_changed_and_taken_out(guest):
    path, lamp = filled(guest)
    [line] = guest.get(path).json()["items"]
    lamp.is_active = False
    lamp.save()

    fewer = guest.patch(f"{path}/items/{line['id']}", {"quantity": 1})
    none = guest.delete(f"{path}/items/{line['id']}")

    assert [each["code"] for each in fewer.json()["problems"]] == ["item_unavailable"]
    assert [each["code"] for each in none.json()["problems"]] == ["cart_is_empty"]


def test_a_guests_line_keeps_what_the_guest_has_seen_when_it_is_merged(guest):
    path, lamp = filled(guest, price_minor=1000)
    user = UserFactory()
    ready_cart(customer_id=user.pk)
    costs_now(lamp, 1250)
    client = customer_client(user)

    token = guest._credentials["HTTP_X_CART_TOKEN"]
    merged = client.post(f"{path}/merges", {}, headers={"X-Cart-Token": token})

    problems = [each for each in merged.json()["cart"]["problems"] if "before" in each["facts"]]
    assert [each["facts"]["before"] for each in problems] == [usd("10.00")]


def test_a_line_that_is_put_back_or_bought_again_has_the_price_of_now(guest):
    path, lamp = filled(guest, price_minor=1000)
    [line] = guest.get(path).json()["items"]
    guest.post(f"{path}/items/{line['id']}/saves", {})
    [saved] = guest.get(f"{path}/saved-items").json()["results"]
    costs_now(lamp, 1250)
    guest.post(f"{path}/saved-items/{saved['id']}/moves", {})
    assert (problems_of(guest, path), CartItem.objects.get().seen_price_minor) == ([], 1250)
    order = check_out(guest, path).json()
    costs_now(lamp, 1100)

    again = guest.post(
        f"/api/v1/orders/{order['id']}/reorders",
        {},
        headers={"X-Order-Token": order["token"], "Idempotency-Key": "again"},
    )

    assert again.status_code == 201
    cart = Cart.objects.get(pk=again.json()["cart"]["id"])
    assert cart.items.get().seen_price_minor == 1100


@pytest.mark.django_db(transaction=True)
def test_parallel_adds_remember_the_price_of_all_pieces_together():
    lamp = VariantFactory(stock=99, price_minor=1000)
    many = PriceListFactory()
    PriceFactory(variant=lamp, price_list=many, amount_minor=750, min_quantity=20)
    cart, token = carts.open_cart(customer_id=None)
    holder = Holder(token=token)

    def add():
        carts.add_item(holder=holder, cart_id=cart.pk, variant=lamp.pk, quantity=1, version=None)

    at_once([add] * 24)

    line = CartItem.objects.get()
    assert (line.quantity, line.seen_price_minor) == (24, 750)
