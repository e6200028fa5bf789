"""Buying again: at the prices of today, and what is missing is told."""

import pytest
from rest_framework.test import APIClient

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import Cart, CartItem
from apps.orders.selectors.orders import Holder
from apps.orders.services import carts, checkout, reorders
from apps.orders.tests.factories import VISA, placed_order, ready_cart
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import StaffFactory, UserFactory, access_token_for, client_of

pytestmark = pytest.mark.django_db


def order_of(user, quantities):
    cart, holder = ready_cart(quantities, customer_id=user.pk)
    return checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA).whole.order


def reorder(client, order, key="one"):
    return client.post(f"/api/v1/orders/{order.pk}/reorders", {}, headers={"Idempotency-Key": key})


def lines_of(answer):
    return [(line["sku"], line["quantity"]) for line in answer.json()["cart"]["items"]]


def test_the_lines_of_an_order_are_in_a_new_cart_at_the_prices_of_today():
    user, lamp = UserFactory(), VariantFactory(stock=9, price_minor=1000)
    order = order_of(user, {lamp.pk: 2})
    lamp.price_minor = 1200
    lamp.save()

    answer = reorder(client_of(user), order)

    cart = answer.json()["cart"]
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/carts/{cart['id']}"
    assert lines_of(answer) == [(lamp.sku, 2)]
    assert cart["totals"]["items"] == {"amount": "24.00", "currency": "USD"}
    assert answer.json()["left_out"] == []
    assert cart["id"] != str(order.cart_id)
    assert client_of(user).get("/api/v1/carts/current").json()["id"] == cart["id"]


def test_the_lines_come_to_those_of_the_current_cart_in_their_order():
    user = UserFactory()
    chair, lamp, table = VariantFactory.create_batch(3, stock=20)
    order = order_of(user, {lamp.pk: 2, table.pk: 1, chair.pk: 3})
    current, _ = ready_cart({chair.pk: 4}, customer_id=user.pk)

    answer = reorder(client_of(user), order)

    assert answer.json()["cart"]["id"] == str(current.pk)
    assert lines_of(answer) == [(chair.sku, 7), (lamp.sku, 2), (table.sku, 1)]
    assert answer.json()["cart"]["version"] == current.version + 1


def test_what_is_not_sold_or_too_much_is_told_and_what_is_short_is_a_problem(settings):
    settings.HELD_UNITS_PER_BUYER = 9_999
    user = UserFactory()
    gone, short, heap = VariantFactory.create_batch(3, stock=999)
    order = order_of(user, {gone.pk: 2, short.pk: 998, heap.pk: 900})
    current, _ = ready_cart({heap.pk: 100}, customer_id=user.pk)
    gone.is_active = False
    gone.save()

    answer = reorder(client_of(user), order)

    left = [
        (each["code"], each["variant_id"], each["quantity"]) for each in answer.json()["left_out"]
    ]
    assert left == [
        ("item_unavailable", str(gone.pk), 2),
        ("quantity_too_large", str(heap.pk), 1),
    ]
    assert lines_of(answer) == [(heap.sku, 999), (short.sku, 998)]
    assert {p["code"] for p in answer.json()["cart"]["problems"]} == {"insufficient_stock"}
    assert [p["detail"] for p in answer.json()["cart"]["problems"]] == [
        f"{heap.sku}: 99 left.",
        f"{short.sku}: 1 left.",
    ]
    assert current.items.count() == 2


def test_the_same_key_fills_the_cart_once_and_another_key_once_more():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    order = order_of(user, {lamp.pk: 2})
    client = client_of(user)

    first, second = reorder(client, order), reorder(client, order)
    third = reorder(client, order, key="two")

    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"
    assert lines_of(third) == [(lamp.sku, 4)]
    assert client.post(f"/api/v1/orders/{order.pk}/reorders", {}).status_code == 400


def test_a_guest_buys_again_with_the_orders_token_into_their_cart_or_a_new_one():
    lamp = VariantFactory(stock=9)
    order, holder = placed_order({lamp.pk: 2})
    guest = APIClient(headers={"X-Order-Token": holder.token})

    opened = reorder(guest, order).json()["cart"]
    with_cart = APIClient(headers={"X-Order-Token": holder.token, "X-Cart-Token": opened["token"]})
    again = reorder(with_cart, order, key="two")

    assert opened["token"]
    assert again.json()["cart"]["id"] == opened["id"]
    assert again.json()["cart"]["token"] is None
    assert lines_of(again) == [(lamp.sku, 4)]


def test_a_guests_order_fills_the_cart_of_the_customer_who_shows_its_token():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    order, holder = placed_order({lamp.pk: 2})
    guests, token = carts.open_cart(customer_id=None)
    client = APIClient(
        headers={
            "Authorization": f"Bearer {access_token_for(user)}",
            "X-Order-Token": holder.token,
            "X-Cart-Token": token,
        }
    )

    answer = reorder(client, order)

    assert Cart.objects.get(pk=answer.json()["cart"]["id"]).customer_id == user.pk
    assert not guests.items.exists()


def test_nobody_buys_somebody_elses_order_again():
    order, _ = placed_order()
    viewer = client_of(StaffFactory(permissions=["orders.view_order"]))
    before = CartItem.objects.count()

    assert reorder(client_of(UserFactory()), order).json()["code"] == "unknown_order"
    assert reorder(APIClient(), order).json()["code"] == "unknown_order"
    assert (reorder(viewer, order).status_code, reorder(viewer, order).json()["code"]) == (
        403,
        "not_the_buyer",
    )
    assert CartItem.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_many_reorders_at_once_fill_one_cart():
    StockLocationFactory()
    user, (lamp, chair) = UserFactory(), VariantFactory.create_batch(2, stock=99)
    orders = [order_of(user, {lamp.pk: 2, chair.pk: 1}), order_of(user, {chair.pk: 3, lamp.pk: 1})]
    client = client_of(user)

    answers = at_once(
        [lambda n=n: reorder(client, orders[n % 2], key=f"key-{n}") for n in range(16)]
    )

    assert {answer.status_code for answer in answers} == {201}
    [cart] = Cart.objects.filter(customer_id=user.pk, status="open")
    assert dict(cart.items.values_list("variant_id", "quantity")) == {lamp.pk: 24, chair.pk: 32}


def test_an_order_of_any_length_is_bought_again_with_the_same_number_of_statements(
    django_assert_num_queries,
):
    for lines in (1, 20):
        user = UserFactory()
        order = order_of(user, {v.pk: 1 for v in VariantFactory.create_batch(lines, stock=9)})
        ready_cart(customer_id=user.pk)
        holder = Holder(customer_id=user.pk)

        with django_assert_num_queries(13):
            reorders.reorder(buyer=holder, holder=holder, order_id=order.pk)
