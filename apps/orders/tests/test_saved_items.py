"""What is saved for later: in no total, in no order, and not lost by one."""

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import MOST_LINES, Cart, CartItem, Order, SavedItem
from apps.orders.selectors.orders import Holder
from apps.orders.services import cart_merging, checkout, saved_items
from apps.orders.tests.factories import VISA, ready_cart, saved_item
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import UserFactory, access_token_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def lamp():
    return VariantFactory(stock=9, price_minor=1000)


@pytest.fixture
def chair():
    return VariantFactory(stock=1, price_minor=5000)


def guest_of(quantities):
    cart, holder = ready_cart(quantities)
    return APIClient(headers={"X-Cart-Token": holder.token}), cart, holder


def save(client, cart, variant, **headers):
    line = CartItem.objects.get(cart=cart, variant_id=variant.pk)
    return client.post(f"/api/v1/carts/{cart.pk}/items/{line.pk}/saves", {}, headers=headers)


def put_back(client, cart, saved_id, **headers):
    path = f"/api/v1/carts/{cart.pk}/saved-items/{saved_id}/moves"
    return client.post(path, {}, headers=headers)


def saved_in(client, cart):
    results = client.get(f"/api/v1/carts/{cart.pk}/saved-items").json()["results"]
    return [(line["sku"], line["quantity"]) for line in results]


def test_a_saved_line_counts_for_neither_totals_nor_stock_nor_problems(lamp, chair):
    client, cart, _ = guest_of({lamp.pk: 2, chair.pk: 3})
    before = client.get(f"/api/v1/carts/{cart.pk}").json()
    assert [each["code"] for each in before["problems"]] == ["insufficient_stock"]

    answer = save(client, cart, chair)

    after = answer.json()
    assert answer.status_code == 200
    assert [(i["sku"], i["quantity"]) for i in after["items"]] == [(lamp.sku, 2)]
    assert after["totals"]["items"] == {"amount": "20.00", "currency": "USD"}
    assert after["problems"] == []
    assert after["version"] == before["version"] + 1
    [line] = client.get(f"/api/v1/carts/{cart.pk}/saved-items").json()["results"]
    assert line == {
        "id": line["id"],
        "variant_id": str(chair.pk),
        "product_id": str(chair.product_id),
        "sku": chair.sku,
        "name": line["name"],
        "quantity": 3,
        "unit_price": {"amount": "50.00", "currency": "USD"},
        "total": {"amount": "150.00", "currency": "USD"},
    }


def test_a_saved_line_comes_back_and_adds_up_with_what_is_there(lamp):
    client, cart, _ = guest_of({lamp.pk: 2})
    save(client, cart, lamp)
    client.post(f"/api/v1/carts/{cart.pk}/items", {"sku": lamp.sku, "quantity": 1})
    save(client, cart, lamp)
    assert saved_in(client, cart) == [(lamp.sku, 3)]
    client.post(f"/api/v1/carts/{cart.pk}/items", {"sku": lamp.sku, "quantity": 4})

    answer = put_back(client, cart, SavedItem.objects.get().pk)

    assert [(i["sku"], i["quantity"]) for i in answer.json()["items"]] == [(lamp.sku, 7)]
    assert saved_in(client, cart) == []


def test_a_saved_line_is_deleted(lamp, chair):
    client, cart, _ = guest_of({lamp.pk: 2, chair.pk: 1})
    save(client, cart, lamp)
    path = f"/api/v1/carts/{cart.pk}/saved-items/{SavedItem.objects.get().pk}"

    answer = client.delete(path)

    assert [i["sku"] for i in answer.json()["items"]] == [chair.sku]
    assert saved_in(client, cart) == []
    assert client.delete(path).json()["code"] == "unknown_saved_item"


def test_the_rest_is_ordered_and_what_is_saved_comes_along_into_the_next_cart(lamp, chair):
    client, cart, holder = guest_of({lamp.pk: 2, chair.pk: 1})
    save(client, cart, chair)

    checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    kept = saved_in(client, cart)
    opened = client.post("/api/v1/carts", {}).json()

    assert [line.sku for line in Order.objects.get().lines.all()] == [lamp.sku]
    assert kept == [(chair.sku, 1)]
    own = APIClient(headers={"X-Cart-Token": opened["token"]})
    assert saved_in(own, Cart.objects.get(pk=opened["id"])) == [(chair.sku, 1)]
    assert saved_in(client, cart) == []
    assert client.post("/api/v1/carts", {}).status_code == 201
    assert saved_in(own, Cart.objects.get(pk=opened["id"])) == [(chair.sku, 1)]


def test_what_a_customer_has_saved_comes_along_and_what_others_have_does_not(lamp, chair):
    user = UserFactory()
    cart, holder = ready_cart({lamp.pk: 1}, customer_id=user.pk)
    saved_item(cart, chair.pk, 2)
    others, others_holder = ready_cart({lamp.pk: 1})
    saved_item(others, lamp.pk, 5)
    for whose, held in ((cart, holder), (others, others_holder)):
        checkout.place_order(holder=held, cart_id=whose.pk, payment=VISA)
    client = APIClient(headers={"Authorization": f"Bearer {access_token_for(user)}"})

    client.post("/api/v1/carts", {})

    [mine] = Cart.objects.filter(customer_id=user.pk, status="open")
    assert list(mine.saved_items.values_list("variant_id", "quantity")) == [(chair.pk, 2)]
    assert others.saved_items.get().quantity == 5


def test_what_is_saved_in_an_open_cart_stays_there_when_another_one_is_opened(lamp, chair):
    user = UserFactory()
    cart, _ = ready_cart({lamp.pk: 1}, customer_id=user.pk)
    saved_item(cart, chair.pk, 2)
    client = APIClient(headers={"Authorization": f"Bearer {access_token_for(user)}"})

    client.post("/api/v1/carts", {})

    assert saved_in(client, cart) == [(chair.sku, 2)]


def test_what_a_guest_has_saved_is_the_customers_after_the_merge(lamp, chair):
    user = UserFactory()
    guests, holder = ready_cart({lamp.pk: 1})
    saved_item(guests, chair.pk, 600)
    saved_item(guests, lamp.pk, 1)
    mine, _ = ready_cart({lamp.pk: 1}, customer_id=user.pk)
    saved_item(mine, chair.pk, 500)

    merged = cart_merging.merge_cart(
        holder=Holder(customer_id=user.pk, token=holder.token), cart_id=guests.pk, version=None
    )

    assert [(each.code, each.quantity) for each in merged.left_out] == [("quantity_too_large", 101)]
    assert dict(mine.saved_items.values_list("variant_id", "quantity")) == {
        chair.pk: 999,
        lamp.pk: 1,
    }
    assert guests.saved_items.get().quantity == 101


def test_more_than_999_or_200_lines_are_not_saved_and_change_nothing(lamp, chair):
    client, cart, _ = guest_of({lamp.pk: 2, chair.pk: 1})
    saved_item(cart, lamp.pk, 998)
    for variant in VariantFactory.create_batch(MOST_LINES - 1):
        saved_item(cart, variant.pk)
    before = client.get(f"/api/v1/carts/{cart.pk}").json()

    too_much, too_many = save(client, cart, lamp), save(client, cart, chair)

    assert (too_much.status_code, too_much.json()["code"]) == (422, "quantity_too_large")
    assert (too_many.status_code, too_many.json()["code"]) == (409, "too_many_saved_items")
    assert client.get(f"/api/v1/carts/{cart.pk}").json() == before
    assert cart.saved_items.count() == MOST_LINES


def test_what_does_not_fit_into_the_cart_stays_saved(lamp, chair):
    client, cart, _ = guest_of({lamp.pk: 998})
    saved = [saved_item(cart, lamp.pk, 2), saved_item(cart, chair.pk)]
    for variant in VariantFactory.create_batch(MOST_LINES - 1):
        CartItem.objects.create(cart=cart, variant_id=variant.pk, quantity=1)

    too_much, full = (put_back(client, cart, line.pk) for line in saved)

    assert (too_much.status_code, too_much.json()["code"]) == (422, "quantity_too_large")
    assert (full.status_code, full.json()["code"]) == (409, "cart_is_full")
    assert saved_in(client, cart) == [(lamp.sku, 2), (chair.sku, 1)]


def test_what_is_sold_no_more_stays_saved_and_says_so(lamp):
    client, cart, _ = guest_of({lamp.pk: 1})
    save(client, cart, lamp)
    lamp.is_active = False
    lamp.save()

    answer = put_back(client, cart, SavedItem.objects.get().pk)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_variant")
    [line] = client.get(f"/api/v1/carts/{cart.pk}/saved-items").json()["results"]
    assert (line["sku"], line["unit_price"], line["quantity"]) == (None, None, 1)


def test_a_stale_version_saves_nothing_and_puts_nothing_back(lamp):
    client, cart, _ = guest_of({lamp.pk: 1})

    refused = save(client, cart, lamp, **{"If-Match": '"1"'})
    etag = client.get(f"/api/v1/carts/{cart.pk}")["ETag"]
    assert save(client, cart, lamp, **{"If-Match": etag}).status_code == 200
    stale = put_back(client, cart, SavedItem.objects.get().pk, **{"If-Match": etag})

    assert (refused.status_code, stale.status_code) == (412, 412)
    assert saved_in(client, cart) == [(lamp.sku, 1)]


def test_an_ordered_cart_neither_saves_nor_puts_back(lamp, chair):
    client, cart, holder = guest_of({lamp.pk: 1})
    saved = saved_item(cart, chair.pk)
    line = cart.items.get()
    checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)

    path = f"/api/v1/carts/{cart.pk}/items/{line.pk}/saves"
    for answer in (client.post(path, {}), put_back(client, cart, saved.pk)):
        assert (answer.status_code, answer.json()["code"]) == (409, "cart_is_ordered")


def test_the_database_keeps_one_line_a_variant_of_1_to_999(lamp):
    _, cart, _ = guest_of({lamp.pk: 1})
    saved_item(cart, lamp.pk)

    for quantity, name in (
        (1, "saved_item_once_a_variant"),
        (1000, "saved_item_quantity_is_1_to_999"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            saved_item(cart, lamp.pk, quantity)


@pytest.mark.django_db(transaction=True)
def test_a_line_that_is_saved_and_put_back_by_many_at_once_is_never_lost_or_doubled():
    StockLocationFactory()
    lamp, chair = VariantFactory.create_batch(2, stock=9)
    client, cart, holder = guest_of({lamp.pk: 2})
    saved = saved_item(cart, lamp.pk, 3)
    line = cart.items.get()
    guest = {"holder": holder, "cart_id": cart.pk, "version": None}
    calls = [
        lambda: saved_items.save_for_later(item_id=line.pk, **guest),
        lambda: saved_items.put_back(saved_id=saved.pk, **guest),
        lambda: client.post(f"/api/v1/carts/{cart.pk}/items", {"sku": chair.sku, "quantity": 1}),
    ]

    at_once(calls * 8)
    connection.close()

    counts = dict(cart.items.values_list("variant_id", "quantity"))
    kept = dict(cart.saved_items.values_list("variant_id", "quantity"))
    assert counts.get(lamp.pk, 0) + kept.get(lamp.pk, 0) == 5
    assert counts[chair.pk] == 8
