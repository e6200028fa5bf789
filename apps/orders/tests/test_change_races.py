"""Changes of one order by two clients at once: real threads, real PostgreSQL."""

from collections import Counter
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.kernel.errors import DomainError
from apps.orders.models import ChangeSet, Order, Refund, Shipment
from apps.orders.services import change_sets, checkout, orders, shipments
from apps.orders.services.invariants import violations
from apps.orders.states import ChangeKind
from apps.orders.tests.factories import VISA, PromotionFactory, paid_order, placed_order, ready_cart
from apps.orders.tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _main_location():
    StockLocationFactory()


@pytest.fixture
def lamp():
    return VariantFactory(price_minor=1000, stock=40)


def proposed(order, holder, kind, **body):
    return change_sets.propose_change(
        holder=holder, order_id=order.pk, kind=ChangeKind(kind), body=body
    )


def one_lamp_less(order, holder):
    line = order.lines.get()
    lines = [{"order_line_id": str(line.pk), "quantity": line.quantity - 1}]
    return proposed(order, holder, "edit", lines=lines)


def confirming(order, holder, change):
    return lambda: change_sets.confirm_change(holder=holder, order_id=order.pk, change_id=change.pk)


def all_is_well():
    return list(violations(ask_providers=False, workers_run=False)) == []


def test_a_change_that_8_clients_confirm_at_once_is_made_once(lamp):
    order, holder = paid_order({lamp.pk: 3})
    change = one_lamp_less(order, holder)

    def confirm():
        return APIClient(headers={"X-Order-Token": holder.token}).post(
            f"/api/v1/orders/{order.pk}/changes/{change.pk}/confirmations",
            headers={"Idempotency-Key": uuid4().hex},
        )

    answers = at_once([confirm] * 8)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refused == {"change_status_conflict"}
    assert order.lines.get().quantity == 2
    assert Refund.objects.get().amount_minor == 1000
    assert all_is_well()


def test_of_8_previews_of_one_order_one_is_made(lamp):
    order, holder = paid_order({lamp.pk: 3})
    changes = [one_lamp_less(order, holder) for _ in range(8)]

    results = at_once([confirming(order, holder, change) for change in changes])

    assert Counter(type(each) for each in results) == {
        type(None): 1,
        change_sets.OrderChanged: 7,
    }
    assert order.lines.get().quantity == 2
    assert ChangeSet.objects.filter(status="confirmed").count() == 1
    assert all_is_well()


def test_a_cancellation_and_an_edit_at_once_are_one_of_the_two(lamp):
    for turn in range(4):
        order, holder = paid_order({lamp.pk: 3})
        edit, cancel = one_lamp_less(order, holder), proposed(order, holder, "cancel")

        calls = [confirming(order, holder, edit), confirming(order, holder, cancel)]
        results = at_once(calls if turn % 2 else calls[::-1])

        assert Counter(type(each) for each in results) == {
            type(None): 1,
            change_sets.OrderChanged: 1,
        }
        order.refresh_from_db()
        back = sum(each.amount_minor for each in Refund.objects.filter(attempt__order=order))
        assert (order.status, back) in {("cancelled", 3600), ("paid", 1000)}
    assert all_is_well()


def test_a_direct_cancellation_and_an_edit_at_once_give_back_what_was_paid_once(lamp):
    for _ in range(4):
        order, holder = paid_order({lamp.pk: 3})
        edit = one_lamp_less(order, holder)

        at_once(
            [
                confirming(order, holder, edit),
                lambda order=order, holder=holder: orders.cancel_order(
                    holder=holder, order_id=order.pk
                ),
            ]
        )

        order.refresh_from_db()
        back = sum(each.amount_minor for each in Refund.objects.filter(attempt__order=order))
        assert (order.status, back) == ("cancelled", 3600)
    assert catalog.offers(variant_ids=[lamp.pk])[lamp.pk].available == 40
    assert all_is_well()


def test_a_parcel_is_packed_as_it_was_edited_or_not_edited_at_all(lamp):
    for _ in range(4):
        order, holder = paid_order({lamp.pk: 3})
        shipments.plan_shipment(order_id=order.pk)
        edit = one_lamp_less(order, holder)

        results = at_once([confirming(order, holder, edit), shipments.advance_shipment])

        refused = any(isinstance(each, DomainError) for each in results)
        assert order.lines.get().quantity == (3 if refused else 2)
        while Shipment.objects.filter(order=order, status="planned").exists():
            shipments.advance_shipment()
    assert all_is_well()


def test_an_edit_and_another_try_to_pay_at_once_agree_on_the_total(lamp):
    for _ in range(4):
        order, holder = placed_order({lamp.pk: 3})
        order.attempts.update(status="in_flight")
        order.attempts.update(status="failed", next_action_at=None)
        edit = one_lamp_less(order, holder)

        at_once(
            [
                confirming(order, holder, edit),
                lambda order=order, holder=holder: checkout.pay_again(
                    holder=holder, order_id=order.pk, payment=VISA
                ),
            ]
        )

        alive = order.attempts.get(status="created")
        assert alive.amount_minor == Order.objects.get(pk=order.pk).grand_total_minor
    assert all_is_well()


def test_edits_give_back_what_checkouts_take_of_two_promotions_at_once(lamp):
    for priority in (0, 10):
        PromotionFactory(priority=priority, uses_limit=100, budget_minor=100_000, currency="USD")
    bought = [paid_order({lamp.pk: 2}) for _ in range(10)]
    made = [(order, holder, one_lamp_less(order, holder)) for order, holder in bought]
    carts = [ready_cart({lamp.pk: 1}) for _ in range(10)]

    results = at_once(
        [
            *(confirming(*each) for each in made),
            *(
                lambda cart=cart, holder=holder: checkout.place_order(
                    holder=holder, cart_id=cart.pk, payment=VISA
                )
                for cart, holder in carts
            ),
        ]
    )

    assert Counter(type(each) for each in results) == {type(None): 10, checkout.Placed: 10}
    assert all_is_well()
