"""kill -9 in the middle of a change, an exchange or a fee: all of it or nothing, and once."""

import random
import time
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import LedgerPosting, Order, Replacement, Return
from apps.orders.services import fees
from apps.orders.tests.factories import declined_order
from apps.orders.tests.test_addition_races import one_more
from apps.orders.tests.test_change_races import all_is_well
from apps.orders.tests.test_exchange_races import inspecting, wished
from apps.orders.tests.test_fees import due, fees_come_late, told
from apps.orders.tests.test_ledger import paid_order
from apps.orders.tests.test_repeated_requests import in_a_process_that_dies

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12
LONGEST = 0.12  # seconds, in which each of these is done


@pytest.fixture(autouse=True)
def _main_location():
    StockLocationFactory()


def test_a_killed_inspection_places_one_replacement_or_none():
    dice = random.Random(9)
    wanted = VariantFactory(stock=50)
    unfinished = 0
    for done in range(1, ROUNDS + 1):
        found = wished(wanted)

        in_a_process_that_dies(inspecting(found), after=dice.uniform(0, LONGEST))
        replaced = Replacement.objects.filter(parent=found).count()
        status = Return.objects.get(pk=found.pk).status
        assert (status, replaced) in {("received", 0), ("closed", 1)}
        assert all_is_well()
        if status == "received":
            unfinished += 1
            inspecting(found)()

        assert Replacement.objects.filter(parent=found).count() == 1
        assert catalog.offers(variant_ids=[wanted.pk])[wanted.pk].available == 50 - done
    assert all_is_well()
    assert unfinished


def test_a_killed_addition_is_made_once_with_the_next_try():
    dice = random.Random(9)
    lamp, shade = VariantFactory(stock=50), VariantFactory(stock=50)
    unfinished = 0
    for done in range(1, ROUNDS + 1):
        order, holder = declined_order({lamp.pk: 1})
        change = one_more(order, holder, shade)
        headers = {"X-Order-Token": holder.token, "Idempotency-Key": uuid4().hex}
        path = f"/api/v1/orders/{order.pk}/changes/{change.pk}/confirmations"

        def confirm(path=path, headers=headers):
            return APIClient().post(path, headers=headers)

        in_a_process_that_dies(confirm, after=dice.uniform(0, LONGEST))
        assert all_is_well()
        answer = confirm()

        assert answer.status_code == 201, answer.content
        unfinished += "Idempotent-Replayed" not in answer
        assert confirm().content == answer.content
        assert Order.objects.get(pk=order.pk).lines.count() == 2
        assert catalog.held_units(order_ids=[order.pk]) == {order.pk: 2}
        assert catalog.offers(variant_ids=[shade.pk])[shade.pk].available == 50 - done
    assert all_is_well()
    assert unfinished


def test_a_fee_that_a_killed_worker_asks_for_is_posted_once(provider):
    dice = random.Random(9)
    fees_come_late(provider, 1000)
    paid = [paid_order() for _ in range(ROUNDS)]
    assert not any(told(order) for order in paid)
    time.sleep(2)  # moments of the provider are whole seconds
    unfinished = 0
    for done, order in enumerate(paid, 1):
        due(order)

        in_a_process_that_dies(fees.advance_fee, after=dice.uniform(0, LONGEST))
        if told(order) is None:
            unfinished += 1
            due(order)
            assert fees.advance_fee()

        assert told(order)
        assert LedgerPosting.objects.filter(kind=LedgerPosting.Kind.FEE).count() == done
    assert all_is_well()
    assert unfinished
