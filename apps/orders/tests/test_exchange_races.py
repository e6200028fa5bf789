"""Exchanges by many clients at once: real threads, real PostgreSQL."""

import pytest

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.kernel.errors import DomainError
from apps.kernel.money import Money
from apps.orders.models import Order, Refund, Replacement
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.orders import STORE
from apps.orders.services import exchanges, inspections, orders, refunds, returns
from apps.orders.states import Resolution
from apps.orders.tests.factories import delivered_order, requested_return
from apps.orders.tests.test_change_races import all_is_well
from apps.orders.tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _main_location():
    StockLocationFactory()


def wished(variant, order=None, quantity=1):
    """Return a return that has come in, whose pieces are to be exchanged."""
    order = order or delivered_order({VariantFactory(stock=9).pk: 3})[0]
    found = requested_return(order, quantity)
    exchanges.ask_for_exchange(
        holder=STORE,
        return_id=found.pk,
        variants={line.pk: variant.pk for line in found.lines.all()},
    )
    returns.approve_return(return_id=found.pk)
    returns.receive_return(return_id=found.pk)
    return found


def inspecting(found):
    line = found.lines.get()
    finding = inspections.Finding(line.quantity, Resolution.RESTOCK)
    return lambda: inspections.inspect_return(return_id=found.pk, findings={line.pk: finding})


def test_one_return_that_8_clients_inspect_at_once_is_replaced_once():
    large = VariantFactory(stock=20)
    found = wished(large)

    results = at_once([inspecting(found)] * 8)

    assert sum(isinstance(each, DomainError) for each in results) == 7
    assert Replacement.objects.count() == 1
    assert catalog.offers(variant_ids=[large.pk])[large.pk].available == 19
    assert all_is_well()


def test_of_12_exchanges_for_5_units_5_are_made_and_7_are_paid_back():
    large = VariantFactory(stock=5)
    found = [wished(large) for _ in range(12)]

    at_once([inspecting(each) for each in found])

    assert Replacement.objects.count() == 5
    assert Refund.objects.count() == 7
    assert catalog.offers(variant_ids=[large.pk])[large.pk].available == 0
    assert all_is_well()


def test_goods_that_are_exchanged_for_each_other_do_not_wait_in_a_circle():
    one, other = VariantFactory(stock=60), VariantFactory(stock=60)
    for _ in range(5):
        calls = []
        for back, wanted in ((one, other), (other, one)) * 3:
            order, _ = delivered_order({back.pk: 1})
            calls.append(inspecting(wished(wanted, order)))

        results = at_once(calls)

        assert not any(isinstance(each, DomainError) for each in results)
    assert Replacement.objects.count() == 30
    assert all_is_well()


def test_money_of_a_replacement_goes_back_once_whoever_sends_it():
    large = VariantFactory(stock=60)
    for _ in range(4):
        order, holder = delivered_order({VariantFactory(stock=9).pk: 1})
        inspecting(wished(large, order))()
        new = Replacement.objects.get(parent__order=order).order

        at_once(
            [
                lambda order=order: refunds.refund_order(
                    order_id=order.pk, amount=Money(order.shipping_minor, "USD"), reason="x"
                ),
                lambda new=new: refunds.refund_order(
                    order_id=new.pk, amount=Money(700, "USD"), reason="x"
                ),
                lambda new=new, holder=holder: orders.cancel_order(holder=holder, order_id=new.pk),
                lambda new=new: refunds.refund_order(
                    order_id=new.pk, amount=Money(700, "USD"), reason="x"
                ),
            ]
        )

        back = Refund.objects.filter(attempt__order=order)
        assert sum(each.amount_minor for each in back) == order.grand_total_minor
        assert refundable_minor(order.pk) == refundable_minor(new.pk) == 0
        assert Order.objects.get(pk=new.pk).status == "cancelled"
    assert all_is_well()
