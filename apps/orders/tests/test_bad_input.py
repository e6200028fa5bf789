"""Whatever is sent for a quantity or a total: it is right, or it is refused and changes nothing."""

import json
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.catalog.tests.factories import ProductFactory, VariantFactory
from apps.orders.models import Order, PaymentAttempt
from apps.orders.services import shipments
from apps.orders.states import ORDER_FOLLOWS, OrderStatus
from apps.orders.tests.factories import placed_order
from apps.orders.tests.test_api import VISA, check_out, filled
from apps.orders.tests.test_refunds_api import ask
from apps.users.tests.factories import staff_client

pytestmark = pytest.mark.django_db

ODD = [0, -1, 999, 1000, 2**31, 2**63, -(2**63), 10**40, 0.5, 1.0, 1e300, float("nan")]
ODD_TEXTS = ["1", "٣", "１", "²", "1e3", "0x1", " 1", "+1", "1_0", "", "NaN"]
json_values = st.one_of(
    st.integers(min_value=-5, max_value=1_005),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(ODD),
    st.sampled_from(ODD_TEXTS),
)
amounts = st.one_of(
    st.integers(min_value=2495, max_value=2505).map(lambda cents: f"{cents / 100:.2f}"),
    st.sampled_from(
        ["0.00", "-25.00", "25", "25.000", "25.0", "٢٥.٠٠", "2.5e1", " 25.00", "25,00"]
    ),
    json_values,
)
often = settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def sent(client, method, path, body, **headers):
    """Send JSON as Python writes it, NaN and Infinity included."""
    send = getattr(client, method)
    return send(path, json.dumps(body), content_type="application/json", headers=headers)


@pytest.mark.parametrize("way", ["add", "replace", "change"])
def test_a_cart_takes_whole_numbers_up_to_999_and_nothing_else(way):
    client = APIClient()
    path, variant = filled(client, quantity=1)
    line = {"variant_id": str(variant.pk)}

    @often
    @given(value=json_values)
    def is_taken_or_refused(value):
        sent(client, "put", f"{path}/items", {"items": [line | {"quantity": 1}]})
        before = client.get(path).json()
        [item] = before["items"]
        answer = {
            "add": lambda: sent(client, "post", f"{path}/items", line | {"quantity": value}),
            "replace": lambda: sent(
                client, "put", f"{path}/items", {"items": [line | {"quantity": value}]}
            ),
            "change": lambda: sent(
                client, "patch", f"{path}/items/{item['id']}", {"quantity": value}
            ),
        }[way]()
        after = client.get(path).json()
        lowest, there = (0 if way == "change" else 1), (1 if way == "add" else 0)
        if type(value) is int and lowest <= value <= 999 - there:
            assert answer.status_code == 200
            assert [i["quantity"] for i in after["items"]] == [value + there] * (value > 0)
        else:
            assert answer.status_code in {400, 422}
            assert answer["Content-Type"] == "application/problem+json"
            assert after == before

    is_taken_or_refused()


def test_only_the_total_in_the_currency_of_the_cart_is_agreed_to():
    client = APIClient()
    path, _ = filled(client)
    before = client.get(path).json()
    assert before["totals"]["grand_total"] == {"amount": "25.00", "currency": "USD"}

    @often
    @example(amount=" 25.00", currency="USD")
    @example(amount="٢٥.٠٠", currency="USD")
    @example(amount=25, currency="USD")
    @example(amount=25.0, currency="USD")
    @given(
        amount=amounts, currency=st.sampled_from(["USD", "EUR", "JPY", "usd", "XTS", "", None, 7])
    )
    def is_refused(amount, currency):
        if currency == "USD" and amount in ("25.000", "25.00", "25.0", "25"):
            return  # that is the total
        total = {"amount": amount, "currency": currency}
        body = {"payment": VISA, "expected_total": total}
        key = {"Idempotency-Key": uuid4().hex}
        answer = sent(client, "post", f"{path}/checkout", body, **key)
        assert answer.status_code in {400, 409}
        assert answer["Content-Type"] == "application/problem+json"

    is_refused()

    assert client.get(path).json() == before
    assert not Order.objects.exists()
    agreed = check_out(client, path, expected_total=before["totals"]["grand_total"])
    assert agreed.status_code == 201


def test_an_address_that_is_longer_in_small_letters_is_ordered_with():
    client = APIClient()
    path, _ = filled(client)
    email = f"robin@{'.'.join(['İ' * 60] * 3)}.com"
    assert len(email) < 254 < len(email.lower())

    answer = check_out(client, path, email=email)

    assert answer.status_code == 201, answer.content
    assert Order.objects.get().email == email


def test_what_has_the_longest_names_is_ordered():
    client = APIClient()
    path, _ = filled(client, product=ProductFactory(name="P" * 200), name="V" * 120)

    answer = check_out(client, path)

    assert answer.status_code == 201, answer.content
    assert answer.json()["items"][0]["name"] == f"{'P' * 200}, {'V' * 98}"


def test_an_unpaid_order_is_neither_sent_nor_refunded_nor_brought_back():
    order, holder = placed_order({VariantFactory(stock=5).pk: 1})
    line = {"order_line_id": str(order.lines.get().pk), "quantity": 1, "reason": "other"}
    guest = APIClient(headers={"X-Order-Token": holder.token})
    path = f"/api/v1/orders/{order.pk}"

    back = ask(staff_client("orders.refund_order"), order)
    again = guest.post(f"{path}/returns", {"lines": [line]}, headers={"Idempotency-Key": "2"})

    assert (back.status_code, back.json()["code"]) == (409, "refund_exceeds_captured")
    assert (again.status_code, again.json()["code"]) == (409, "not_returnable")
    assert not shipments.advance_shipment()
    assert PaymentAttempt.objects.get().status == "created"


@pytest.mark.parametrize("status", [str(status) for status in OrderStatus])
def test_no_step_is_left_out_not_even_by_writing_into_the_database(status):
    order, _ = placed_order({VariantFactory(stock=5).pk: 1})

    allowed = {str(each) for each in ORDER_FOLLOWS[OrderStatus.PENDING_PAYMENT]}
    if status in allowed | {"pending_payment"}:
        return
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(status=status)
    assert Order.objects.get().status == "pending_payment"
