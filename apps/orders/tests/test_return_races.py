"""Returns of two clients at once, and returns against refunds: real threads, real PostgreSQL."""

from collections import Counter
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.kernel.money import Money
from apps.orders.models import Order, OrderLine, Return, ReturnLine
from apps.orders.pricing import MoreThanBought
from apps.orders.selectors.refunds import GivenBack
from apps.orders.services import inspections, refunds, returns
from apps.orders.services.invariants import violations
from apps.orders.services.return_steps import ReturnStatusConflict
from apps.orders.states import Resolution, ReturnReason
from apps.orders.tests.factories import delivered_order, received_return
from apps.orders.tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _main_location():
    StockLocationFactory()


def delivered(quantity):
    order, holder = delivered_order({VariantFactory(price_minor=1000, stock=20).pk: quantity})
    return order, holder, order.lines.get()


def accept(found, quantity):
    line = found.lines.get()
    finding = inspections.Finding(quantity, Resolution.RESTOCK)
    return inspections.inspect_return(return_id=found.pk, findings={line.pk: finding})


def test_16_returns_of_the_last_piece_at_once_are_one():
    order, holder, line = delivered(1)

    def ask():
        return APIClient(headers={"X-Order-Token": holder.token}).post(
            f"/api/v1/orders/{order.pk}/returns",
            {"lines": [{"order_line_id": str(line.pk), "quantity": 1, "reason": "other"}]},
            headers={"Idempotency-Key": uuid4().hex},
        )

    answers = at_once([ask] * 16)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 15}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"not_returnable"}
    line.refresh_from_db()
    assert line.returning_quantity == Return.objects.count() == 1


def test_16_returns_of_2_of_7_pieces_at_once_are_3():
    order, holder, line = delivered(7)
    wanted = [returns.Wanted(line.pk, 2, ReturnReason.OTHER)]

    results = at_once(
        [lambda: returns.request_return(holder=holder, order_id=order.pk, wanted=wanted)] * 16
    )

    assert Counter(type(result) for result in results) == {Return: 3, MoreThanBought: 13}
    line.refresh_from_db()
    assert line.returning_quantity == 6


def test_the_database_counts_rows_that_no_service_has_written():
    order, _, line = delivered(3)
    parent = Return.objects.create(order=order)

    def insert():
        try:
            with transaction.atomic():
                mine = Return.objects.create(order=order)
                return ReturnLine.objects.create(
                    parent=mine, order_line=line, quantity=1, reason="other"
                )
        except IntegrityError as error:
            return str(error)

    results = at_once([insert] * 8)

    refused = [each for each in results if isinstance(each, str)]
    assert len(refused) == 5
    assert all("order_line_comes_back_at_most_once" in each for each in refused)
    other = delivered(1)[2]
    with pytest.raises(IntegrityError, match="return_line_is_of_its_order"):
        ReturnLine.objects.create(parent=parent, order_line=other, quantity=1, reason="other")
    ReturnLine.objects.first().delete()
    line.refresh_from_db()
    assert line.returning_quantity == 2
    Return.objects.update(status="cancelled")
    line.refresh_from_db()
    assert line.returning_quantity == 0
    with pytest.raises(Exception, match="Cannot update rows"):
        OrderLine.objects.filter(pk=line.pk).update(quantity=9)


def test_of_8_inspectors_at_once_one_decides():
    order, _, _ = delivered(3)
    found = received_return(order, 3)

    results = at_once([lambda n=n: accept(found, n % 3 + 1) for n in range(8)])

    assert Counter(type(result) for result in results) == {Return: 1, ReturnStatusConflict: 7}
    found.refresh_from_db()
    accepted = found.lines.get().accepted
    assert found.refund.amount_minor == accepted * 1000 == found.amount_minor
    assert catalog.returned_units(order_ids=[order.pk]) == {order.pk: accepted}
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_an_inspection_and_refunds_by_staff_give_back_no_more_than_was_captured():
    order, _, _ = delivered(3)
    found = received_return(order, 3)
    money = Money(1700, "USD")

    results = at_once(
        [
            lambda: accept(found, 3),
            *[lambda: refunds.refund_order(order_id=order.pk, amount=money, reason="Sorry.")] * 5,
        ]
    )

    kinds = Counter(type(result) for result in results)
    assert kinds[Return] == 1
    assert kinds[GivenBack] + kinds[refunds.RefundExceedsCaptured] == 5
    attempt = order.attempts.get()
    assert attempt.refund_promised_minor <= Order.objects.get(pk=order.pk).grand_total_minor
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_a_shopper_and_the_warehouse_at_once_take_one_step():
    for _ in range(4):
        order, holder, _ = delivered(1)
        found = returns.request_return(
            holder=holder,
            order_id=order.pk,
            wanted=[returns.Wanted(order.lines.get().pk, 1, ReturnReason.OTHER)],
        )

        results = at_once(
            [
                lambda found=found, holder=holder: returns.cancel_return(
                    holder=holder, return_id=found.pk
                ),
                lambda found=found: returns.approve_return(return_id=found.pk),
                lambda found=found: returns.reject_return(return_id=found.pk, reason="No."),
            ]
        )

        found.refresh_from_db()
        assert found.status in {"cancelled", "rejected"}
        line = order.lines.get()
        assert line.returning_quantity == 0
        assert sum(isinstance(each, ReturnStatusConflict) for each in results) in {1, 2}
