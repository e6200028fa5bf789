"""Logging in with a full cart: nothing is lost, doubled, or taken from somebody else."""

from collections import Counter

import pytest
from rest_framework.test import APIClient

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import MOST_LINES, Cart, CartItem
from apps.orders.selectors.orders import Holder
from apps.orders.services import cart_merging, carts, checkout
from apps.orders.tests.factories import ADDRESS, VISA, gift_card, ready_cart
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import UserFactory, access_token_for

pytestmark = pytest.mark.django_db


def client_of(user, token=""):
    """Return who is logged in and may hold a guest's token, too."""
    return APIClient(
        headers={"Authorization": f"Bearer {access_token_for(user)}"}
        | ({"X-Cart-Token": token} if token else {})
    )


def guests_cart(quantities):
    cart, token = carts.open_cart(customer_id=None)
    carts.replace_items(
        holder=Holder(token=token), cart_id=cart.pk, quantities=quantities, version=None
    )
    return cart, token


def customers_cart(user, quantities):
    cart, _ = carts.open_cart(customer_id=user.pk)
    carts.replace_items(
        holder=Holder(customer_id=user.pk), cart_id=cart.pk, quantities=quantities, version=None
    )
    return cart


def merge(client, cart, **headers):
    return client.post(f"/api/v1/carts/{cart.pk}/merges", {}, headers=headers)


def quantities_in(cart):
    return dict(CartItem.objects.filter(cart=cart).values_list("variant_id", "quantity"))


def test_quantities_add_up_in_the_customers_cart_and_the_guests_is_empty():
    user, (lamp, chair) = UserFactory(), VariantFactory.create_batch(2, stock=9)
    guests, token = guests_cart({lamp.pk: 2, chair.pk: 1})
    mine = customers_cart(user, {lamp.pk: 3})

    answer = merge(client_of(user, token), guests)

    assert answer.status_code == 200
    assert answer.json()["cart"]["id"] == str(mine.pk)
    assert answer.json()["cart"]["token"] is None
    assert [(i["sku"], i["quantity"]) for i in answer.json()["cart"]["items"]] == [
        (lamp.sku, 5),
        (chair.sku, 1),
    ]
    assert answer.json()["left_out"] == []
    assert answer["ETag"].startswith(f'"{answer.json()["cart"]["version"]}-')
    assert quantities_in(guests) == {}


def test_merging_again_changes_nothing():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    guests, token = guests_cart({lamp.pk: 2})
    mine = customers_cart(user, {lamp.pk: 3})
    merge(client_of(user, token), guests)

    again = merge(client_of(user, token), guests)

    assert again.status_code == 200
    assert quantities_in(mine) == {lamp.pk: 5}


def test_without_a_cart_of_their_own_the_guests_becomes_the_customers():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    guests, token = guests_cart({lamp.pk: 2})
    client = client_of(user, token)

    answer = merge(client, guests)
    again = merge(client, guests)

    assert answer.json()["cart"]["id"] == str(guests.pk)
    assert answer.json()["cart"]["email"] == user.email
    assert again.json()["cart"] == answer.json()["cart"]
    assert client_of(user).get("/api/v1/carts/current").json()["id"] == str(guests.pk)
    for stranger in (APIClient(headers={"X-Cart-Token": token}), client_of(UserFactory(), token)):
        assert stranger.get(f"/api/v1/carts/{guests.pk}").status_code == 404
        assert (
            stranger.post(
                f"/api/v1/carts/{guests.pk}/items", {"sku": "x", "quantity": 1}
            ).status_code
            == 404
        )


def test_an_address_goes_along_where_there_is_none():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    guests, holder = ready_cart({lamp.pk: 1})
    mine = customers_cart(user, {})

    answer = merge(client_of(user, holder.token), guests).json()["cart"]

    assert (answer["shipping_address"], answer["shipping_option"]) == (ADDRESS, "standard")
    assert answer["email"] == user.email
    mine.refresh_from_db()
    assert (mine.shipping_address, mine.email) == (ADDRESS, user.email)


def test_more_than_999_of_one_thing_stays_in_the_guests_cart_and_is_told():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    guests, token = guests_cart({lamp.pk: 600})
    mine = customers_cart(user, {lamp.pk: 500})

    answer = merge(client_of(user, token), guests).json()

    assert answer["left_out"] == [
        {
            "code": "quantity_too_large",
            "detail": "A cart takes at most 999 of one thing.",
            "variant_id": str(lamp.pk),
            "quantity": 101,
        }
    ]
    assert (quantities_in(mine), quantities_in(guests)) == ({lamp.pk: 999}, {lamp.pk: 101})


def test_lines_beyond_the_limit_stay_in_the_guests_cart_and_are_told():
    user = UserFactory()
    variants = VariantFactory.create_batch(MOST_LINES + 1, stock=9)
    first, *others = [variant.pk for variant in variants]
    guests, token = guests_cart({first: 1, others[-2]: 2, others[-1]: 3})
    mine = customers_cart(user, dict.fromkeys([first, *others[:-2]], 1))

    answer = merge(client_of(user, token), guests).json()

    assert [
        (each["code"], each["variant_id"], each["quantity"]) for each in answer["left_out"]
    ] == [("cart_is_full", str(others[-1]), 3)]
    assert quantities_in(mine) == dict.fromkeys([*others[:-2]], 1) | {first: 2, others[-2]: 2}
    assert quantities_in(guests) == {others[-1]: 3}


def test_nobody_gets_a_cart_whose_token_they_lack():
    user, other, lamp = UserFactory(), UserFactory(), VariantFactory(stock=9)
    guests, token = guests_cart({lamp.pk: 2})
    theirs = customers_cart(other, {lamp.pk: 1})

    for cart, wrong in ((guests, ""), (guests, "x"), (guests, token + "x"), (theirs, token)):
        answer = merge(client_of(user, wrong), cart)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_cart")
    anonymous = merge(APIClient(headers={"X-Cart-Token": token}), guests)

    assert anonymous.status_code == 401
    assert quantities_in(guests) == {lamp.pk: 2}
    assert quantities_in(theirs) == {lamp.pk: 1}
    assert not Cart.objects.filter(customer_id=user.pk).exists()


def test_a_stale_version_or_an_ordered_cart_is_not_merged():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    guests, holder = ready_cart({lamp.pk: 1})
    mine = customers_cart(user, {})
    client = client_of(user, holder.token)

    stale = merge(client, guests, **{"If-Match": '"1"'})
    checkout.place_order(holder=holder, cart_id=guests.pk, payment=VISA)
    ordered = merge(client, guests)

    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert (ordered.status_code, ordered.json()["code"]) == (409, "cart_is_ordered")
    assert quantities_in(mine) == {}


def test_codes_go_along_once_each_and_as_many_as_a_cart_takes():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    guests, token = guests_cart({lamp.pk: 1})
    mine = customers_cart(user, {lamp.pk: 1})
    Cart.objects.filter(pk=guests.pk).update(coupons=["SUN", *(f"G{n}" for n in range(8))])
    Cart.objects.filter(pk=mine.pk).update(coupons=["MINE", "SUN"])

    answer = merge(client_of(user, token), guests)

    assert answer.json()["cart"]["coupons"] == ["MINE", "SUN", *(f"G{n}" for n in range(8))]
    guests.refresh_from_db()
    again, token = guests_cart({lamp.pk: 1})
    Cart.objects.filter(pk=again.pk).update(coupons=["MORE"])
    assert merge(client_of(user, token), again).json()["cart"]["coupons"][-1] == "G7"


def test_gift_cards_go_along_once_each_and_as_many_as_a_cart_takes():
    user, lamp = UserFactory(), VariantFactory(stock=9)
    guests, token = guests_cart({lamp.pk: 1})
    mine = customers_cart(user, {lamp.pk: 1})
    cards = [str(gift_card(100)[0].pk) for _ in range(12)]
    Cart.objects.filter(pk=guests.pk).update(gift_cards=cards[1:])
    Cart.objects.filter(pk=mine.pk).update(gift_cards=cards[:2])

    merge(client_of(user, token), guests)

    mine.refresh_from_db()
    assert mine.gift_cards == cards[:10]


def test_a_cart_of_any_length_is_merged_in_11_statements_and_a_savepoint(
    django_assert_num_queries,
):
    for lines in (1, 20):
        user = UserFactory()
        quantities = {v.pk: 1 for v in VariantFactory.create_batch(lines, stock=9)}
        cart, token = guests_cart(quantities)
        customers_cart(user, quantities)

        with django_assert_num_queries(13):
            cart_merging.merge_cart(
                holder=Holder(customer_id=user.pk, token=token), cart_id=cart.pk, version=None
            )


@pytest.mark.django_db(transaction=True)
def test_32_clients_who_merge_and_add_at_once_lose_and_double_nothing():
    StockLocationFactory()
    user, variants = UserFactory(), VariantFactory.create_batch(4, stock=9)
    guests, token = guests_cart({variant.pk: 1 for variant in variants})
    mine = customers_cart(user, {variants[0].pk: 1})
    both, guest = client_of(user, token), APIClient(headers={"X-Cart-Token": token})
    calls = [lambda: merge(both, guests)] * 8
    for n in range(12):
        line = {"variant_id": str(variants[n % 4].pk), "quantity": n + 1}
        for client, cart in ((guest, guests), (both, mine)):
            calls.append(
                lambda client=client, cart=cart, line=line: client.post(
                    f"/api/v1/carts/{cart.pk}/items", line
                )
            )

    answers = at_once(calls)

    assert {answer.status_code for answer in answers} == {200}
    everything = Counter(quantities_in(mine)) + Counter(quantities_in(guests))
    expected = Counter({variant.pk: 1 for variant in variants}) + Counter({variants[0].pk: 1})
    for n in range(12):
        expected[variants[n % 4].pk] += 2 * (n + 1)
    assert everything == expected
    merge(both, guests)
    assert (quantities_in(mine), quantities_in(guests)) == (dict(expected), {})


@pytest.mark.django_db(transaction=True)
def test_carts_that_are_merged_crosswise_by_two_people_end_with_one_of_them():
    StockLocationFactory()
    for _ in range(5):
        people, lamp = UserFactory.create_batch(2), VariantFactory(stock=9)
        guests = [guests_cart({lamp.pk: 10}) for _ in range(2)]
        mine = [customers_cart(user, {lamp.pk: 1}) for user in people]
        calls = [
            lambda user=user, cart=cart, token=token: merge(client_of(user, token), cart)
            for user in people
            for cart, token in (guests if user is people[0] else reversed(guests))
        ]

        answers = at_once(calls * 2)

        assert {answer.status_code for answer in answers} == {200}
        assert sum(quantities_in(cart)[lamp.pk] for cart in mine) == 22


@pytest.mark.django_db(transaction=True)
def test_two_guests_carts_that_become_the_customers_at_once_end_in_one():
    StockLocationFactory()
    for _ in range(5):
        user, lamp = UserFactory(), VariantFactory(stock=9)
        guests = [guests_cart({lamp.pk: 2}) for _ in range(4)]

        clients = [(client_of(user, token), cart) for cart, token in guests]

        answers = at_once(
            [lambda client=client, cart=cart: merge(client, cart) for client, cart in clients]
        )

        assert {answer.status_code for answer in answers} == {200}
        [mine] = Cart.objects.filter(customer_id=user.pk)
        assert quantities_in(mine) == {lamp.pk: 8}
