"""Exchanges: another variant instead of money, paid by what came back, once, and to the cent."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.catalog.tests.factories import ProductFactory, VariantFactory
from apps.kernel.models import AuditEntry, OutboxEvent
from apps.kernel.money import Money
from apps.kernel.privacy import Person
from apps.orders import interface
from apps.orders.models import Exchange, Refund, Replacement, RetainedInvoice, Return
from apps.orders.selectors.figures import steps
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.services import (
    billing,
    inspections,
    orders,
    refunds,
    returns,
    shipments,
)
from apps.orders.states import Resolution
from apps.orders.tests.factories import (
    PromotionFactory,
    delivered_order,
    paid_order,
    placed_order,
    requested_return,
    tax_rate,
    tax_zone,
)
from apps.orders.tests.test_change_sets import (
    all_is_well,
    available,
    confirm,
    holder_client,
    propose,
    refusal,
    staff_client,
    usd,
)

pytestmark = pytest.mark.django_db


def ask(client, found, *pairs):
    lines = [{"line_id": str(line.pk), "variant_id": str(variant.pk)} for line, variant in pairs]
    return client.post(f"/api/v1/returns/{found.pk}/exchanges", {"lines": lines})


def arrive(found):
    returns.approve_return(return_id=found.pk)
    returns.receive_return(return_id=found.pk)


def inspect(found, *accepted, **options):
    lines = found.lines.order_by("order_line__position")
    accepted = accepted or [line.quantity for line in lines]
    findings = {
        line.pk: inspections.Finding(pieces, Resolution.RESTOCK if pieces else None)
        for line, pieces in zip(lines, accepted, strict=True)
    }
    return inspections.inspect_return(return_id=found.pk, findings=findings, **options)


def exchanged(order, holder, variant, quantity=1):
    """Return the replacement of so many pieces of the order's one line."""
    found = requested_return(order, quantity)
    assert ask(holder_client(holder), found, (found.lines.get(), variant)).status_code == 201
    arrive(found)
    inspect(found)
    found.refresh_from_db()
    return found, Replacement.objects.get(parent=found).order


@pytest.fixture
def small():
    return VariantFactory(price_minor=1000, stock=10)


@pytest.fixture
def large(small):
    return VariantFactory(price_minor=1000, stock=10, product=small.product)


@pytest.mark.parametrize("included", [False, True])
def test_another_size_comes_for_what_came_back(small, large, included):
    tax_rate(tax_zone("US", prices_include_tax=included), "8.875")
    PromotionFactory(benefit={"kind": "percentage", "basis_points": 1000})
    order, holder = delivered_order({small.pk: 3})
    guest = holder_client(holder)
    found = requested_return(order, 2)

    asked = ask(guest, found, (found.lines.get(), large))

    assert asked.status_code == 201, asked.content
    told = asked.json()["lines"][0]["exchange"]
    assert (told["variant_id"], told["unit_price"]) == (str(large.pk), usd("10.00"))
    assert asked.json()["replacement_order_id"] is None
    assert available(large) == 10
    arrive(found)
    inspect(found)

    found.refresh_from_db()
    assert (found.status, found.refund) == ("closed", None)
    new = Replacement.objects.get().order
    assert (new.status, new.shipping_minor) == ("paid", 0)
    assert new.grand_total_minor == new.exchanged_minor == found.amount_minor
    line = new.lines.get()
    assert (line.sku, line.quantity, line.unit_price_minor) == (large.sku, 2, 1000)
    assert (line.discount_minor, new.items_minor) == (200, 2000)
    assert (new.tax_minor > 0, new.tax_included_minor > 0) == (not included, included)
    assert new.number == order.number + 1
    assert (available(small), available(large)) == (9, 8)
    assert not Refund.objects.exists()
    document = guest.get(f"/api/v1/orders/{new.pk}").json()
    assert document["exchanged"] == [
        {
            "return_id": str(found.pk),
            "order_id": str(order.pk),
            "amount": document["totals"]["grand_total"],
        }
    ]
    assert document["totals"]["to_pay"] == usd("0.00")
    shown = guest.get(f"/api/v1/returns/{found.pk}").json()
    assert shown["replacement_order_id"] == str(new.pk)
    assert not new.billing_documents.exists()
    assert refundable_minor(order.pk) == order.grand_total_minor - new.grand_total_minor
    assert refundable_minor(new.pk) == new.grand_total_minor
    assert all_is_well()
    names = OutboxEvent.objects.filter(payload__order_id=str(new.pk)).values_list("name", flat=True)
    assert set(names) == {"orders.order_placed", "orders.order_paid"}
    assert AuditEntry.objects.filter(action="orders.exchange_asked").count() == 1


def test_an_exchange_is_previewed_and_asked_for_as_it_was_seen(small, large):
    order, holder = delivered_order({small.pk: 3})
    guest = holder_client(holder)
    line = {
        "order_line_id": str(order.lines.get().pk),
        "quantity": 2,
        "reason": "does_not_fit",
        "variant_id": str(large.pk),
    }

    proposed = propose(guest, order, "exchange", lines=[line], comment="Too tight.")

    assert proposed.status_code == 201, proposed.content
    preview = proposed.json()["preview"]
    assert (preview["refund"], preview["tax"]) == (usd("0.00"), usd("0.00"))
    assert [(each["sku"], each["quantity"], each["move"]) for each in preview["stock"]] == [
        (small.sku, 2, "return"),
        (large.sku, 2, "reserve"),
    ]
    assert [each["unit_price"] for each in preview["added"]] == [usd("10.00")]
    assert not Return.objects.exists()
    confirmed = confirm(guest, proposed)
    found = Return.objects.get(pk=confirmed.json()["return_id"])
    assert (found.status, found.comment) == ("requested", "Too tight.")
    assert Exchange.objects.get().variant_id == large.pk
    outdated = propose(guest, order, "exchange", lines=[{**line, "quantity": 1}])
    large.price_minor = 900
    large.save()
    assert refusal(confirm(guest, outdated)) == (409, "order_changed")


def test_what_costs_less_gives_the_rest_back(small):
    tax_rate(tax_zone("US"), "8.875")
    cheap = VariantFactory(price_minor=333, stock=10)
    order, holder = delivered_order({small.pk: 3})

    found, new = exchanged(order, holder, cheap, 2)

    found.refresh_from_db()
    assert new.items_minor == 666
    assert found.refund.amount_minor == found.amount_minor - new.grand_total_minor
    assert refundable_minor(order.pk) == order.grand_total_minor - found.amount_minor
    assert all_is_well()


def test_what_costs_more_is_taxed_otherwise_or_is_gone_is_not_exchanged(small, large):
    zone = tax_zone("US")
    tax_rate(zone, "8.875")
    tax_rate(zone, "4", of="books")
    dear = VariantFactory(price_minor=1001, stock=10)
    few = VariantFactory(price_minor=1000, stock=1)
    book = VariantFactory(price_minor=900, stock=9, product=ProductFactory(tax_class="books"))
    order, holder = delivered_order({small.pk: 3})
    guest = holder_client(holder)
    found = requested_return(order, 2)
    line = found.lines.get()

    answer = ask(guest, found, (line, dear))

    assert refusal(answer) == (409, "exchange_costs_more")
    assert answer.json()["facts"] == {"before": usd("10.00"), "now": usd("10.01")}
    assert refusal(ask(guest, found, (line, few))) == (409, "out_of_stock")
    assert refusal(ask(guest, found, (line, book))) == (409, "taxes_differ")
    large.is_active = False
    large.save()
    assert refusal(ask(guest, found, (line, large))) == (404, "unknown_variant")
    foreign = requested_return(delivered_order()[0]).lines.get()
    assert refusal(ask(guest, found, (foreign, small))) == (404, "unknown_return_line")
    path = f"/api/v1/returns/{found.pk}/exchanges"
    for body in (
        {},
        {"lines": None},
        {"lines": [{"line_id": str(line.pk)}]},
        {"lines": [{"line_id": "x", "variant_id": str(small.pk)}]},
        {"lines": [{"line_id": str(line.pk), "variant_id": str(small.pk)}] * 2},
        {"lines": [{"line_id": str(line.pk), "variant_id": str(small.pk), "quantity": 9}]},
    ):
        assert refusal(guest.post(path, body)) == (400, "validation_failed")
    assert not Exchange.objects.exists()


def test_a_wish_is_changed_and_taken_back_until_the_goods_are_here(small, large):
    order, holder = delivered_order({small.pk: 2})
    guest = holder_client(holder)
    found = requested_return(order, 1)
    line = found.lines.get()
    ask(guest, found, (line, large))
    ask(guest, found, (line, small))
    assert Exchange.objects.get().variant_id == small.pk

    assert ask(guest, found).json()["lines"][0]["exchange"] is None

    arrive(found)
    assert refusal(ask(guest, found, (line, large))) == (409, "return_status_conflict")
    inspect(found)
    assert not Replacement.objects.exists()
    assert Refund.objects.get().amount_minor == 1000
    assert all_is_well()


def test_sold_out_by_the_time_it_is_inspected_money_goes_back(small, large):
    order, holder = delivered_order({small.pk: 2})
    found = requested_return(order, 2)
    ask(holder_client(holder), found, (found.lines.get(), large))
    placed_order({large.pk: 9})
    arrive(found)

    inspect(found)

    assert not Replacement.objects.exists()
    assert Refund.objects.get().amount_minor == 2000
    assert (available(small), available(large)) == (10, 1)
    assert all_is_well()


def test_what_is_not_accepted_is_not_exchanged(small, large):
    order, holder = delivered_order({small.pk: 3})
    found = requested_return(order, 3)
    ask(holder_client(holder), found, (found.lines.get(), large))
    arrive(found)

    inspect(found, 1)

    new = Replacement.objects.get().order
    assert (new.lines.get().quantity, new.grand_total_minor) == (1, 1000)
    assert all_is_well()
    other = requested_return(order, 1)
    ask(holder_client(holder), other, (other.lines.get(), large))
    arrive(other)
    inspect(other, 0)
    assert Replacement.objects.count() == 1
    assert all_is_well()


def test_money_that_has_gone_back_already_pays_for_nothing(small, large):
    order, holder = delivered_order({small.pk: 1})
    refunds.refund_order(order_id=order.pk, amount=Money(1200, "USD"), reason="Sorry.")
    found = requested_return(order, 1)
    ask(holder_client(holder), found, (found.lines.get(), large))
    arrive(found)

    inspect(found)

    assert not Replacement.objects.exists()
    assert sum(each.amount_minor for each in Refund.objects.all()) == order.grand_total_minor
    assert available(large) == 10
    assert all_is_well()


def test_what_is_left_pays_for_the_replacement_first(small):
    cheap = VariantFactory(price_minor=400, stock=10)
    order, holder = delivered_order({small.pk: 1})
    sorry = order.grand_total - Money(500, "USD")
    refunds.refund_order(order_id=order.pk, amount=sorry, reason="Sorry.")
    body = {"order_line_id": str(order.lines.get().pk), "quantity": 1, "reason": "does_not_fit"}
    lines = [body | {"variant_id": str(cheap.pk)}]
    told = propose(holder_client(holder), order, "exchange", lines=lines).json()

    found, new = exchanged(order, holder, cheap)

    assert told["preview"]["refund"] == usd("1.00")
    assert (new.grand_total_minor, found.refund.amount_minor) == (400, 100)
    assert refundable_minor(order.pk) == 0
    assert refundable_minor(new.pk) == 400
    orders.cancel_order(holder=holder, order_id=new.pk)
    back = Refund.objects.filter(attempt__order=order)
    assert sum(each.amount_minor for each in back) == order.grand_total_minor
    assert all_is_well()


def test_money_that_pays_for_a_replacement_does_not_go_back_twice(small, large):
    order, holder = delivered_order({small.pk: 1})
    _, new = exchanged(order, holder, large)

    with pytest.raises(refunds.RefundExceedsCaptured) as refused:
        refunds.refund_order(order_id=order.pk, amount=Money(501, "USD"), reason="Sorry.")

    assert refused.value.facts["refundable"] == Money(order.shipping_minor, "USD")
    boss = staff_client("orders.view_order", "orders.refund_order")
    too_much = propose(boss, order, "refund", amount=usd("5.01"), reason="x")
    assert refusal(too_much) == (409, "refund_exceeds_captured")
    given = refunds.refund_order(order_id=new.pk, amount=Money(400, "USD"), reason="A scratch.")
    assert given.payment.attempt.order_id == order.pk
    assert refundable_minor(new.pk) == 600
    assert all_is_well()


def test_a_cancelled_replacement_gives_the_first_payment_back(small, large):
    order, holder = delivered_order({small.pk: 2})
    _, new = exchanged(order, holder, large)
    guest = holder_client(holder)

    proposed = propose(guest, new, "cancel")

    assert proposed.json()["preview"]["refund"] == usd("10.00")
    assert confirm(guest, proposed).status_code == 201
    new.refresh_from_db()
    assert new.status == "cancelled"
    refund = Refund.objects.get()
    assert (refund.attempt.order_id, refund.amount_minor) == (order.pk, 1000)
    assert available(large) == 10
    assert refundable_minor(order.pk) == order.grand_total_minor - 1000
    assert refundable_minor(new.pk) == 0
    assert all_is_well()


def test_staff_who_cancel_a_replacement_send_money_back(small, large):
    order, holder = delivered_order({small.pk: 1})
    _, new = exchanged(order, holder, large)
    path = f"/api/v1/orders/{new.pk}/cancellations"
    key = {"Idempotency-Key": uuid4().hex}

    support = staff_client("orders.view_order", "orders.cancel_order")

    assert refusal(support.post(path, {"reason": "x"}, headers=key)) == (403, "refund_not_allowed")


def test_a_replacement_comes_back_for_money_and_for_another_replacement(small, large):
    tax_rate(tax_zone("US"), "8.875")
    order, holder = delivered_order({small.pk: 3})
    _, new = exchanged(order, holder, large, 3)
    _send(new)
    again, third = exchanged(new, holder, small, 2)
    assert third.grand_total_minor == again.amount_minor
    assert refundable_minor(new.pk) == new.grand_total_minor - third.grand_total_minor
    rest = requested_return(new, 1)
    arrive(rest)

    inspect(rest)

    rest.refresh_from_db()
    assert rest.status == "inspected"
    assert rest.refund.attempt.order_id == order.pk
    assert rest.refund.amount_minor == new.grand_total_minor - third.grand_total_minor
    Refund.objects.update(status="in_flight")
    refunds._settle(Refund.objects.get(), refunds.RefundStatus.SUCCEEDED)
    rest.refresh_from_db()
    assert rest.status == "closed"
    orders.cancel_order(holder=holder, order_id=third.pk)
    back = sum(each.amount_minor for each in Refund.objects.all())
    assert back == order.grand_total_minor - refundable_minor(order.pk)
    assert refundable_minor(third.pk) == refundable_minor(new.pk) == 0
    assert all_is_well()
    while billing.advance_document():
        pass
    kinds = order.billing_documents.order_by("kind").values_list("kind", "total_minor")
    assert list(kinds) == [
        ("credit_note", rest.refund.amount_minor),
        ("invoice", order.grand_total_minor),
    ]
    assert not new.billing_documents.exists()


def test_money_of_a_replacement_that_could_not_be_sent_is_sent_again(small, large):
    order, holder = delivered_order({small.pk: 2})
    _, new = exchanged(order, holder, large, 2)
    _send(new)
    found = requested_return(new, 2)
    arrive(found)
    inspect(found)
    Refund.objects.update(status="in_flight")
    refunds._settle(Refund.objects.get(), refunds.RefundStatus.FAILED)

    inspections.refund_again(return_id=found.pk)

    found.refresh_from_db()
    assert (found.status, found.refund.status) == ("inspected", "created")
    assert (found.refund.attempt.order_id, found.refund.amount_minor) == (order.pk, 2000)
    assert refundable_minor(order.pk) == order.grand_total_minor - 2000
    assert refundable_minor(new.pk) == 0
    assert all_is_well()


def _send(order):
    shipments.plan_shipment(order_id=order.pk)
    shipments.advance_shipment()
    shipment = order.shipments.get()
    shipments.hand_over(shipment_id=shipment.pk)
    shipments.deliver(shipment_id=shipment.pk)
    order.refresh_from_db()


def test_a_replacement_is_not_edited(small, large):
    order, holder = delivered_order({small.pk: 2})
    _, new = exchanged(order, holder, large, 2)
    lines = [{"order_line_id": str(new.lines.get().pk), "quantity": 1}]

    answer = propose(holder_client(holder), new, "edit", lines=lines)

    assert refusal(answer) == (409, "replacement_stays")


def test_an_exchange_of_a_part_of_a_return_pays_the_other_part_back(small, large):
    shade = VariantFactory(price_minor=333, stock=5)
    order, holder = delivered_order({small.pk: 2, shade.pk: 2})
    found = requested_return(order, 1)
    line = found.lines.get(order_line__variant_id=small.pk)
    ask(holder_client(holder), found, (line, large))
    arrive(found)

    inspect(found)

    found.refresh_from_db()
    assert found.refund.amount_minor == 333
    assert found.replacement.paid_minor == 1000
    Refund.objects.update(status="in_flight")
    Refund.objects.update(status="failed", next_action_at=None)
    inspections.refund_again(return_id=found.pk)
    found.refresh_from_db()
    assert found.refund.amount_minor == 333


def test_what_came_back_is_revenue_once(small, large):
    order, holder = delivered_order({small.pk: 2})
    exchanged(order, holder, large)

    [paid] = [each for each in steps(after=0) if each.to_status == "paid"]
    assert (paid.orders, paid.amount_minor) == (2, order.grand_total_minor)


def test_others_ask_for_no_exchange(small, large):
    order, _ = delivered_order({small.pk: 2})
    found = requested_return(order, 1)
    line = found.lines.get()
    _, stranger = paid_order({small.pk: 1})

    for client in (APIClient(), holder_client(stranger)):
        assert ask(client, found, (line, large)).status_code == 404
    looker = staff_client("orders.view_order")
    assert refusal(ask(looker, found, (line, large))) == (403, "return_not_allowed")
    support = staff_client("orders.view_order", "orders.decide_return")
    assert ask(support, found, (line, large)).status_code == 201


def test_a_cent_that_rounding_gave_a_piece_beyond_its_price_is_paid_back():
    tax_rate(tax_zone("US", prices_include_tax=True), "20")
    odd, other = (VariantFactory(price_minor=9, stock=9) for _ in range(2))
    order, holder = delivered_order({odd.pk: 2})

    first, one = exchanged(order, holder, other)
    second, two = exchanged(order, holder, other)

    assert (first.amount_minor, one.grand_total_minor, first.refund.amount_minor) == (10, 9, 1)
    assert (second.amount_minor, two.grand_total_minor, second.refund) == (8, 8, None)
    assert all_is_well()


def test_a_piece_that_has_cost_nothing_but_tax_is_exchanged():
    tax_rate(tax_zone("US", prices_include_tax=True), "25")
    cheap, other = (VariantFactory(price_minor=1, stock=9) for _ in range(2))
    order, holder = delivered_order({cheap.pk: 3})
    exchanged(order, holder, other)

    _, new = exchanged(order, holder, other)

    assert (new.grand_total_minor, new.tax_included_minor) == (1, 1)
    [tax] = new.taxes
    assert (tax["net"], tax["amount"]) == (0, 1)
    assert all_is_well()


def test_whoever_is_erased_leaves_a_name_on_the_invoice_and_not_with_the_replacement(small, large):
    order, holder = delivered_order({small.pk: 2})
    _, new = exchanged(order, holder, large, 2)
    _send(new)
    while billing.advance_document():
        pass

    interface.erase(person=Person(None, frozenset({order.email})))

    new.refresh_from_db()
    assert (new.email, new.shipping_address) == ("", {})
    assert order.billing_documents.get().content["buyer"]["last_name"] == "Doe"
    assert not RetainedInvoice.objects.exists()
