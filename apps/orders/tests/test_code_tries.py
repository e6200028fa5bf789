"""Nobody finds a code by trying, and nobody who has one is kept from using it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import StoredValue
from apps.orders.tests.factories import CouponFactory, PromotionFactory, gift_card, ready_cart
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import UserFactory, access_token_for

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def three_guesses(settings):
    settings.CODE_GUESSES_PER_CLIENT = 3


@pytest.fixture
def carts():
    """Return a function that opens a cart with goods in it and says who holds it."""
    StockLocationFactory()
    variant = VariantFactory(stock=99)

    def opened(user=None, ip=HERE):
        cart, holder = ready_cart({variant.pk: 1}, customer_id=user and user.pk)
        headers = (
            {"Authorization": f"Bearer {access_token_for(user)}"}
            if user
            else {"X-Cart-Token": holder.token}
        )
        return APIClient(headers=headers, REMOTE_ADDR=ip), f"/api/v1/carts/{cart.pk}/coupons"

    return opened


def tried(cart, code):
    client, path = cart
    answer = client.post(path, {"code": code})
    return answer.status_code, answer.json().get("code")


def card_tried(cart, code):
    client, path = cart
    return tried((client, path.replace("/coupons", "/gift-cards")), code)


def looked_up(cart, code):
    return tried((cart[0], "/api/v1/gift-cards/lookups"), code)


WRONG, REFUSED = (422, "coupon_not_applicable"), (429, "too_many_guesses")
NO_CARD, NOT_FOUND = (422, "gift_card_not_usable"), (404, "unknown_gift_card")


def test_after_some_codes_that_nobody_has_a_right_one_helps_no_more(carts):
    CouponFactory(code="SUN")
    guest, other = carts(), carts()

    assert [tried(guest, f"X{n}") for n in range(4)] == [WRONG, WRONG, WRONG, REFUSED]
    assert tried(guest, "SUN") == REFUSED
    assert tried(other, "SUN") == REFUSED  # another cart of the same network

    answer = guest[0].post(guest[1], {"code": "SUN"})
    assert 0 < int(answer["Retry-After"]) <= 15 * 60
    assert answer["Content-Type"] == "application/problem+json"


def test_whoever_comes_from_elsewhere_or_has_an_account_is_not_meant(carts):
    CouponFactory(code="SUN", uses_limit=None)
    guest = carts()
    for n in range(4):
        tried(guest, f"X{n}")

    assert tried(carts(ip=ELSEWHERE), "SUN")[0] == 200
    assert tried(carts(user=UserFactory()), "SUN")[0] == 200


def test_a_customer_is_counted_wherever_they_are(carts):
    user = UserFactory()
    for n in range(3):
        assert tried(carts(user=user, ip=f"192.0.2.{n}"), f"X{n}") == WRONG

    assert tried(carts(user=user, ip=ELSEWHERE), "X") == REFUSED
    assert tried(carts(user=UserFactory(), ip=ELSEWHERE), "X") == WRONG


def test_after_15_minutes_it_begins_again(carts):
    guest = carts()
    for n in range(4):
        tried(guest, f"X{n}")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_loginattempts SET window_ends_at = now() - interval '1 s'")

    assert tried(guest, "X") == WRONG


def test_what_is_right_or_known_counts_for_nothing(carts):
    CouponFactory(code="SUN", uses_limit=None)
    over = PromotionFactory(needs_code=True, ends_at=timezone.now() - timedelta(days=1))
    CouponFactory(code="OVER", promotion=over)
    client, path = carts()

    for _ in range(9):
        assert tried((client, path), "SUN")[0] == 200
        assert tried((client, path), "OVER") == WRONG
        assert tried((client, f"/api/v1/carts/{uuid4()}/coupons"), "X") == (404, "unknown_cart")
        assert tried((client, path), "") == (400, "validation_failed")

    assert [tried((client, path), f"X{n}") for n in range(4)] == [WRONG, WRONG, WRONG, REFUSED]


def test_codes_of_cards_are_counted_together_with_those_of_coupons(carts):
    _, code = gift_card()
    guest = carts()

    answers = [card_tried(guest, "X1"), looked_up(guest, "X2"), tried(guest, "X3")]

    assert answers == [NO_CARD, NOT_FOUND, WRONG]
    assert [card_tried(guest, code), looked_up(guest, code), tried(guest, "X")] == [REFUSED] * 3
    answer = guest[0].post("/api/v1/gift-cards/lookups", {"code": code})
    assert 0 < int(answer["Retry-After"]) <= 15 * 60
    assert looked_up(carts(ip=ELSEWHERE), code)[0] == 200


@pytest.mark.parametrize("attempt", [card_tried, looked_up])
def test_a_card_that_there_is_counts_for_nothing(carts, attempt):
    _, code = gift_card()
    _, over = gift_card(expires_at=timezone.now() + timedelta(days=1))
    StoredValue.objects.exclude(expires_at=None).update(
        expires_at=timezone.now() - timedelta(days=1)
    )
    guest = carts()

    for _ in range(5):
        assert attempt(guest, code)[0] == 200
        assert attempt(guest, over) in {NO_CARD, (200, None)}
        assert attempt(guest, "")[0] == 400

    wrong = [attempt(guest, f"X{n}") for n in range(4)]
    assert wrong == [wrong[0]] * 3 + [REFUSED]
    assert wrong[0] in {NO_CARD, NOT_FOUND}


def test_a_customer_looks_for_cards_as_often_as_for_coupons(carts):
    user = UserFactory()
    cart = carts(user=user)

    assert [tried(cart, "X1"), tried(cart, "X2"), card_tried(cart, "X3")] == [WRONG, WRONG, NO_CARD]

    assert card_tried(carts(user=user, ip=ELSEWHERE), "X4") == REFUSED
    assert card_tried(carts(user=UserFactory()), "X4") == NO_CARD


@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_as_many_as_may_be(carts):
    guests = [carts() for _ in range(12)]

    answers = at_once(
        [lambda cart=cart, n=n: tried(cart, f"X{n}") for n, cart in enumerate(guests)]
    )

    assert sorted(answers) == [WRONG] * 3 + [REFUSED] * 9


@pytest.mark.django_db(transaction=True)
def test_codes_of_cards_and_coupons_that_are_tried_at_once_are_as_many_as_may_be(carts):
    ways = [tried, card_tried, looked_up]
    guests = [carts() for _ in range(12)]

    answers = at_once(
        [lambda cart=cart, n=n: ways[n % 3](cart, f"X{n}") for n, cart in enumerate(guests)]
    )

    assert answers.count(REFUSED) == 9
    assert {*answers} <= {WRONG, NO_CARD, NOT_FOUND, REFUSED}
