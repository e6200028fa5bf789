"""A guest finds an order again by mail, and nobody finds out what orders there are."""

import re
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.kernel.models import Mail
from apps.kernel.tests.mails import mails_to
from apps.orders.models import Order
from apps.orders.services import lookups
from apps.orders.tests.factories import placed_order
from apps.users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

EMAIL = "robin@example.com"
ANSWER = {"detail": "If there is such an order, a mail is on its way."}


def look_up(number, email=EMAIL):
    return APIClient().post("/api/v1/orders/lookups", {"number": number, "email": email})


def mailed_link():
    [message] = mails_to(EMAIL)
    [link] = set(re.findall(r"http\S+\?token=\S+", message.body))
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def test_number_and_address_get_a_link_that_reads_the_order():
    order, holder = placed_order()
    own = APIClient(headers={"X-Order-Token": holder.token}).get(f"/api/v1/orders/{order.pk}")

    answer = look_up(order.shown_number, "Robin@Example.com")
    read = APIClient().get(mailed_link())

    assert (answer.status_code, answer.json()) == (202, ANSWER)
    assert read.status_code == 200
    assert read.json() == own.json()
    [message] = mails_to(EMAIL)
    assert message.subject == f"Your order {order.shown_number}"


def test_the_token_reads_as_a_header_too_and_the_life_of_the_order():
    order, _ = placed_order()
    look_up(order.shown_number)
    path, _, token = mailed_link().partition("?token=")
    guest = APIClient(headers={"X-Order-Token": token.replace("%3A", ":")})

    assert guest.get(path).status_code == 200
    assert guest.get(f"{path}/events").json()["results"][0]["status"] == "pending_payment"
    assert APIClient().get(f"{path}/events?token={token}").status_code == 200


def test_the_token_only_reads():
    order, _ = placed_order()
    look_up(order.shown_number)
    path, _, token = mailed_link().partition("?token=")
    guest = APIClient(headers={"X-Order-Token": token.replace("%3A", ":")})
    payment = {"payment": {"provider": "stripe", "method": "pm_card_visa"}}

    for action, body in (("cancellations", {}), ("payments", payment), ("reorders", {})):
        answer = guest.post(
            f"{path}/{action}?token={token}", body, headers={"Idempotency-Key": uuid4().hex}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_order")
    order.refresh_from_db()
    assert order.status == "pending_payment"


def test_the_token_opens_one_order_for_a_day_and_no_other_token_does(monkeypatch):
    order, other = placed_order()[0], placed_order()[0]
    look_up(order.shown_number)
    path, _, token = mailed_link().partition("?token=")
    forged = signing.TimestampSigner(salt="another.use").sign(order.pk.hex)

    for address in (
        f"/api/v1/orders/{other.pk}?token={token}",
        f"{path}?token={token[:-1]}",
        f"{path}?token={token}x",
        f"{path}?token={forged}",
        f"{path}?token=",
        f"{path}?token={'x' * 5000}",
        f"{path}?token=%F0%9F%94%91",
    ):
        assert APIClient().get(address).status_code == 404, address
    assert APIClient().get(f"{path}?token={token}").status_code == 200
    monkeypatch.setattr(lookups, "LIFETIME", timedelta(seconds=-1))
    assert APIClient().get(f"{path}?token={token}").status_code == 404


def test_what_does_not_match_is_answered_alike_and_mails_nothing():
    order, _ = placed_order()
    user = UserFactory()
    Order.objects.filter(pk=placed_order()[0].pk).update(customer_id=user.pk, number=100_001)
    right = look_up(order.shown_number)
    Mail.objects.all().delete()

    answers = [
        look_up(order.shown_number, "somebody@example.com"),
        look_up("2026-999999"),
        look_up("100001"),  # a customer's: they log in
        look_up("nonsense"),
        look_up("9" * 20),
    ]

    for answer in answers:
        assert answer.status_code == right.status_code == 202
        assert answer.content == right.content
        assert set(answer.headers) == set(right.headers)
    assert not Mail.objects.exists()


def test_a_match_costs_the_same_statements_as_none():
    order, _ = placed_order()

    def statements(number):
        with CaptureQueriesContext(connection) as captured:
            look_up(number)
        spoken = [query["sql"].split()[0] for query in captured]
        return [word for word in spoken if word not in {"SAVEPOINT", "RELEASE", "ROLLBACK"}]

    assert (
        statements(order.shown_number)
        == statements("2026-999999")
        == [
            "WITH",
            "SELECT",
            "INSERT",
        ]
    )


def test_more_mails_than_an_address_may_get_are_refused_whether_there_is_an_order_or_not(settings):
    settings.MAILS_PER_ADDRESS = 2
    order, _ = placed_order()

    for number, email in ((order.shown_number, EMAIL), ("2026-999999", "other@example.com")):
        statuses = [look_up(number, email).status_code for _ in range(4)]
        assert statuses == [202, 202, 429, 429]
    assert look_up("x", EMAIL).json()["code"] == "too_many_mails"
    assert "Retry-After" in look_up("x", EMAIL).headers
    assert Mail.objects.filter(template="order_link").count() == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"number": "2026-000001"},
        {"email": EMAIL},
        {"number": 100001, "email": EMAIL},
        {"number": "x" * 21, "email": EMAIL},
        {"number": "", "email": EMAIL},
        {"number": "2026-000001", "email": "nobody"},
        {"number": "2026-000001", "email": EMAIL, "status": "paid"},
    ],
)
def test_a_bad_lookup_is_refused(body):
    answer = APIClient().post("/api/v1/orders/lookups", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
