"""Orders that gift cards and store credit have paid for, changed and returned."""

import pytest

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import Refund, Return
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.orders import STORE
from apps.orders.services import (
    change_sets,
    edits,
    inspections,
    payments,
    refunds,
    returns,
    shipments,
)
from apps.orders.services.inspections import Finding
from apps.orders.states import ChangeKind, RefundStatus, Resolution, ReturnReason
from apps.orders.tests.factories import gift_card
from apps.orders.tests.test_documents import as_guest
from apps.orders.tests.test_stored_value import balance, bought, charge, moved, nothing_is_wrong

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def main_location():
    StockLocationFactory()


@pytest.fixture
def lamp(main_location):
    return VariantFactory(price_minor=1000, stock=10)


def take_out(order, quantity: int) -> int:
    """Leave so many pieces of the order's line. Returns what was said to go back for that."""
    lines = [{"order_line_id": str(order.lines.get().pk), "quantity": quantity}]
    change = change_sets.propose_change(
        holder=STORE, order_id=order.pk, kind=ChangeKind.EDIT, body={"lines": lines}
    )
    change_sets.confirm_change(holder=STORE, order_id=order.pk, change_id=change.pk)
    order.refresh_from_db()
    return change.preview["after"]["refund"]


def send(order, work) -> None:
    work()
    shipment = order.shipments.get()
    shipments.hand_over(shipment_id=shipment.pk)
    shipments.deliver(shipment_id=shipment.pk)


def bring_back(order, quantity: int) -> Return:
    line = order.lines.get()
    found = returns.request_return(
        holder=STORE,
        order_id=order.pk,
        wanted=[returns.Wanted(line.pk, quantity, ReturnReason.CHANGED_MIND)],
    )
    returns.approve_return(return_id=found.pk)
    returns.receive_return(return_id=found.pk)
    finding = Finding(quantity, Resolution.RESTOCK)
    inspections.inspect_return(return_id=found.pk, findings={found.lines.get().pk: finding})
    found.refresh_from_db()
    return found


def test_pieces_taken_out_of_what_a_card_has_paid_are_worth_something_on_the_card(lamp):
    card, code = gift_card(9000)
    order, _ = bought(code, to_pay=0, quantities={lamp.pk: 3})
    total = order.grand_total_minor

    promised = take_out(order, 1)

    saved = total - order.grand_total_minor
    assert saved == promised == order.reduced_minor == 2000
    assert moved(card) == [("issue", 9000), ("spend", -total), ("give_back", saved)]
    assert refundable_minor(order.pk) == order.grand_total_minor
    assert not Refund.objects.exists()
    assert nothing_is_wrong()


def test_nobody_has_to_pay_less_than_nothing_of_what_a_card_paid_and_was_made_cheaper(lamp):
    _, code = gift_card(9000)
    order, holder = bought(code, to_pay=0, quantities={lamp.pk: 3})
    take_out(order, 1)

    told = as_guest(holder).get(f"/api/v1/orders/{order.pk}").json()

    assert told["totals"]["grand_total"] == {"amount": "16.00", "currency": "USD"}
    assert told["totals"]["to_pay"] == {"amount": "0.00", "currency": "USD"}


def test_of_what_a_card_has_paid_in_part_the_payment_gets_its_money_back_first(
    provider, ledger, work, lamp
):
    card, code = gift_card(2700)
    order, _ = bought(code, to_pay=900, quantities={lamp.pk: 3})
    charge(order)

    assert take_out(order, 2) == 1000

    assert Refund.objects.get().amount_minor == 900
    assert balance(card) == 100
    assert nothing_is_wrong()
    send(order, work)
    first, second = bring_back(order, 1), bring_back(order, 1)
    assert (first.status, second.status) == ("closed", "closed")
    assert (first.refund, second.refund) == (None, None)
    assert balance(card) == 2100
    assert refundable_minor(order.pk) == order.shipping_minor == 600
    work()
    assert [each["amount_refunded"] for each in ledger()] == [900]
    assert nothing_is_wrong()


def test_an_unpaid_order_keeps_something_to_pay_beside_its_cards(provider, lamp):
    card, code = gift_card(2600)
    order, _ = bought(code, to_pay=1000, quantities={lamp.pk: 3})
    order.attempts.update(method="pm_card_visa_chargeDeclined")
    payments.advance_payment()
    assert order.attempts.get().status == "failed"

    with pytest.raises(edits.NothingLeft):
        take_out(order, 2)

    assert (order.lines.get().quantity, balance(card)) == (3, 0)
    assert nothing_is_wrong()


def test_what_a_card_has_got_is_not_given_again_with_money_that_could_not_be_sent(
    provider, work, lamp
):
    card, code = gift_card(2700)
    order, _ = bought(code, to_pay=900, quantities={lamp.pk: 3})
    charge(order)
    send(order, work)
    found = bring_back(order, 2)
    assert (found.amount_minor, found.refund.amount_minor, balance(card)) == (2000, 900, 1100)
    Refund.objects.update(status="in_flight")
    refunds._settle(found.refund, RefundStatus.FAILED, failure_code="lost")

    inspections.refund_again(return_id=found.pk)

    found.refresh_from_db()
    assert (found.status, found.refund.status) == ("inspected", "created")
    assert (found.refund.amount_minor, balance(card)) == (900, 1100)
    assert refundable_minor(order.pk) == order.grand_total_minor - 2000
    assert nothing_is_wrong()
