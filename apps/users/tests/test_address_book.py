"""The address book: whose it is, how much it holds, and what is the default."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection, connections, transaction
from rest_framework.test import APIClient

from apps.kernel.postal_rules import RULED, settled
from apps.kernel.tests.threads import at_once
from apps.users.models import Address
from apps.users.services import addresses
from apps.users.services.addresses import AddressBookFull
from apps.users.tests.factories import AddressFactory, UserFactory, access_token_for

pytestmark = pytest.mark.django_db
BOOK = "/api/v1/users/me/addresses"
DRAFT = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
FLAGS = ("default_shipping", "default_billing")


def codes(response):
    return {(entry["pointer"], entry["code"]) for entry in response.json()["errors"]}


def test_an_address_is_kept_and_found_again(client_me):
    made = client_me.post(BOOK, DRAFT)

    assert made.status_code == 201
    kept = client_me.get(made["Location"]).json()
    assert kept == made.json()
    assert {name: kept[name] for name in DRAFT} == DRAFT
    assert [kept[flag] for flag in FLAGS] == [False, False]
    assert client_me.get(BOOK).json()["results"] == [kept]


def test_a_new_default_takes_the_place_of_the_old_one(client_me, me):
    first = client_me.post(BOOK, {**DRAFT, "default_shipping": True, "default_billing": True})

    second = client_me.post(BOOK, {**DRAFT, "default_shipping": True}).json()

    before = client_me.get(first["Location"]).json()
    assert [before[flag] for flag in FLAGS] == [False, True]
    assert [second[flag] for flag in FLAGS] == [True, False]

    client_me.patch(first["Location"], {"default_shipping": True})

    chosen = Address.objects.filter(user=me, default_shipping=True).values_list("pk", flat=True)
    assert [str(pk) for pk in chosen] == [before["id"]]


def test_an_unchanged_flag_of_the_default_itself_stays(client_me):
    made = client_me.post(BOOK, {**DRAFT, "default_shipping": True})

    changed = client_me.patch(made["Location"], {"default_shipping": True, "city": "Bath"})

    assert changed.json()["default_shipping"] is True
    assert changed.json()["city"] == "Bath"


def test_somebody_elses_default_stays(client_me):
    other = AddressFactory(default_shipping=True)

    client_me.post(BOOK, {**DRAFT, "default_shipping": True})

    other.refresh_from_db()
    assert other.default_shipping


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_somebody_elses_address_is_not_found(client_me, method):
    other = AddressFactory()

    response = getattr(client_me, method)(f"{BOOK}/{other.pk}", {"city": "Elsewhere"})

    assert (response.status_code, response.json()["code"]) == (404, "unknown_address")
    other.refresh_from_db()
    assert other.city == "Springfield"


def test_a_removed_address_is_gone(client_me):
    made = client_me.post(BOOK, DRAFT)

    assert client_me.delete(made["Location"]).status_code == 204

    assert client_me.get(made["Location"]).status_code == 404
    assert client_me.delete(made["Location"]).status_code == 404


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"country": "XX"}, {("/country", "unknown_country")}),
        ({"country": "gb"}, {("/country", "unknown_country")}),
        ({"line1": ""}, {("/line1", "blank")}),
        ({"city": 7}, {("/city", "invalid")}),
        ({"default_shipping": "yes"}, {("/default_shipping", "invalid")}),
        ({"user": "somebody"}, {("/user", "unknown_field")}),
        ({"id": "mine"}, {("/id", "unknown_field")}),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(client_me, change, expected):
    new = client_me.post(BOOK, {**DRAFT, **change})
    kept = client_me.post(BOOK, DRAFT)
    changed = client_me.patch(kept["Location"], change)

    assert (new.status_code, codes(new)) == (400, expected)
    assert (changed.status_code, codes(changed)) == (400, expected)
    assert client_me.get(kept["Location"]).json() == kept.json()


def test_a_postal_code_that_capitals_make_too_long_is_refused(client_me):
    response = client_me.post(BOOK, {**DRAFT, "country": "AO", "postal_code": "ß" * 20})

    assert response.status_code == 400
    assert codes(response) == {("/postal_code", "invalid_postal_code")}


def test_a_full_book_takes_no_more(client_me, me):
    AddressFactory.create_batch(addresses.MOST, user=me)

    response = client_me.post(BOOK, DRAFT)

    assert (response.status_code, response.json()["code"]) == (409, "address_book_full")
    assert Address.objects.count() == addresses.MOST


def test_a_page_of_the_book_costs_two_statements(client_me, me, django_assert_num_queries):
    AddressFactory.create_batch(5, user=me)

    with django_assert_num_queries(2):
        page = client_me.get(BOOK, {"limit": 3}).json()

    assert len(page["results"]) == 3
    assert len(client_me.get(page["next"]).json()["results"]) == 2


@pytest.mark.django_db(transaction=True)
def test_sixteen_defaults_at_once_leave_one():
    user = UserFactory.create()
    book = AddressFactory.create_batch(16, user=user)

    def choose(address):
        return lambda: addresses.change_address(
            user_id=user.pk, address_id=address.pk, change=lambda _: dict.fromkeys(FLAGS, True)
        )

    at_once(*(choose(address) for address in book))

    assert Address.objects.filter(default_shipping=True).count() == 1
    assert Address.objects.filter(default_billing=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_book_with_room_for_three_takes_three_of_sixteen_at_once():
    user = UserFactory.create()
    AddressFactory.create_batch(addresses.MOST - 3, user=user)

    def add():
        try:
            return addresses.add_address(user_id=user.pk, **DRAFT)
        except AddressBookFull as refusal:
            return refusal

    outcomes = at_once(*[add] * 16)

    assert sum(isinstance(outcome, Address) for outcome in outcomes) == 3
    assert Address.objects.count() == addresses.MOST


def test_what_is_changed_is_held_against_the_country_together_with_what_is_kept(client_me):
    made = client_me.post(BOOK, {**DRAFT, "postal_code": "sw1y 4jh"})
    assert made.json()["postal_code"] == "SW1Y 4JH"

    moved = client_me.patch(made["Location"], {"country": "US"})
    whole = client_me.patch(
        made["Location"], {"country": "US", "region": "Illinois", "postal_code": "62701"}
    )

    assert codes(moved) == {("/region", "required"), ("/postal_code", "invalid_postal_code")}
    assert whole.json()["region"] == "IL"


def test_an_address_from_before_is_still_made_the_default(client_me, me):
    old = AddressFactory(user=me, country="US", region="", postal_code="?")

    answer = client_me.patch(f"{BOOK}/{old.pk}", {"default_shipping": True, "line1": "2 Main"})

    assert (answer.status_code, answer.json()["postal_code"]) == (200, "?")


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_one_address_at_once_leave_one_that_keeps_the_rules():
    user = UserFactory.create()
    token = access_token_for(user)
    changes = [
        {"country": "US", "region": "IL", "postal_code": "62701"},
        {"postal_code": "EC1A 1BB"},
        {"postal_code": "W1A 0AX", "city": "London"},
    ]
    outcomes = set()
    for turn in range(12):
        address = AddressFactory(user=user, **DRAFT)
        path = f"{BOOK}/{address.pk}"

        def change(body, path=path):
            client = APIClient(headers={"Authorization": f"Bearer {token}"})
            return client.patch(path, body).status_code

        moved, *stayed = at_once(*(partial(change, body) for body in changes))

        address.refresh_from_db()
        kept = {name: getattr(address, name) for name in (*RULED, "country")}
        assert settled(kept)[1] == [], (turn, kept)
        assert moved == 200
        assert address.country == "US"
        outcomes.update(stayed)
    assert outcomes <= {200, 400}


@pytest.mark.django_db(transaction=True)
def test_a_change_is_held_against_what_another_one_has_just_left():
    user = UserFactory.create()
    address = AddressFactory(user=user, **DRAFT)
    client = APIClient(headers={"Authorization": f"Bearer {access_token_for(user)}"})

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            moved = {"country": "US", "region": "IL", "postal_code": "62701"}
            Address.objects.filter(pk=address.pk).update(**moved)  # as the back office does
            answer = pool.submit(late_change, client, address.pk)
            wait_until_somebody_waits()
        response = answer.result(timeout=10)

    address.refresh_from_db()
    assert response.status_code == 400
    assert codes(response) == {("/postal_code", "invalid_postal_code")}
    assert (address.country, address.postal_code) == ("US", "62701")


def late_change(client, address_id):
    try:
        return client.patch(f"{BOOK}/{address_id}", {"postal_code": "EC1A 1BB"})
    finally:
        connections.close_all()


def wait_until_somebody_waits():
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("Nobody waits for the row.")
