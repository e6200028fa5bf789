"""Bringing goods back: what shoppers and staff ask over HTTP, and what they are refused."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.models import AuditEntry, OutboxEvent
from apps.orders.models import Refund, Return, Shipment
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.services import refunds
from apps.orders.services.invariants import violations
from apps.orders.tests.factories import (
    delivered_order,
    placed_order,
    received_return,
    requested_return,
    tax_rate,
    tax_zone,
)
from apps.users.tests.factories import (
    UserFactory,
    client_of,
    staff_client,
)

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def lamp():
    return VariantFactory(price_minor=1000, stock=10)


@pytest.fixture
def sold(lamp):
    """Three lamps of 10.00, and 6.00 for the parcel: the order, its line, and who bought it."""
    order, holder = delivered_order({lamp.pk: 3})
    return order, order.lines.get(), APIClient(headers={"X-Order-Token": holder.token})


@pytest.fixture
def warehouse():
    return staff_client("orders.inspect_return", "orders.view_order")


def ask(client, order, *lines, key=None, **body):
    wanted = [
        {"order_line_id": str(getattr(line, "pk", line)), "quantity": quantity, "reason": reason}
        for line, quantity, reason in lines
    ]
    return client.post(
        f"/api/v1/orders/{order.pk}/returns",
        {"lines": wanted, **body},
        headers={"Idempotency-Key": key or uuid4().hex},
    )


def inspect(client, found, accepted, resolution="restock", key=None, **body):
    finding = {"line_id": str(found.lines.get().pk), "accepted": accepted}
    if resolution:
        finding["resolution"] = resolution
    return client.post(
        f"/api/v1/returns/{found.pk}/inspections",
        {"lines": [finding], **body},
        headers={"Idempotency-Key": key or uuid4().hex},
    )


def refusal(answer):
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def on_hand(variant):
    return catalog.offers(variant_ids=[variant.pk])[variant.pk].available


def test_a_return_goes_from_the_question_to_the_money(sold, lamp, warehouse, work):
    order, line, guest = sold
    support = staff_client("orders.decide_return", "orders.view_order")

    asked = ask(guest, order, (line, 2, "does_not_fit"), comment="Too bright.")

    assert asked.status_code == 201
    told = asked.json()
    path = asked["Location"]
    assert (told["status"], told["comment"], told["amount"]) == ("requested", "Too bright.", None)
    assert told["order_number"] == order.shown_number
    [part] = told["lines"]
    assert (part["order_line_id"], part["quantity"]) == (str(line.pk), 2)
    assert (part["reason"], part["accepted"], part["resolution"]) == ("does_not_fit", None, None)
    assert support.post(f"{path}/approvals").json()["status"] == "approved"
    assert warehouse.post(f"{path}/receipts").json()["status"] == "received"
    assert on_hand(lamp) == 7

    inspected = inspect(warehouse, Return.objects.get(), 2)

    assert inspected.status_code == 201, inspected.content
    told = inspected.json()
    assert told["status"] == "inspected"
    assert told["amount"] == told["refund"]["amount"] == {"amount": "20.00", "currency": "USD"}
    assert told["lines"][0]["accepted"] == 2
    assert on_hand(lamp) == 9
    movements = staff_client("catalog.view_stockmovement").get("/api/v1/inventory/movements")
    [back] = [each for each in movements.json()["results"] if each["kind"] == "return"]
    assert (back["on_hand_delta"], back["order_id"]) == (2, str(order.pk))
    Refund.objects.update(status="in_flight")
    refunds._settle(Refund.objects.get(), refunds.RefundStatus.SUCCEEDED, reference="re_1")
    assert guest.get(path).json()["status"] == "closed"
    assert list(violations(ask_providers=False, workers_run=False)) == []
    named = list(OutboxEvent.objects.filter(name__contains="return").order_by("id"))
    assert [event.name for event in named] == [
        f"orders.return_{word}" for word in ("requested", "received", "closed")
    ]
    assert named[0].payload == {"order_id": str(order.pk), "return_id": told["id"]}
    steps = AuditEntry.objects.filter(about=told["id"]).order_by("id")
    assert [entry.after["status"] for entry in steps] == [
        *("requested", "approved", "received", "inspected", "closed")
    ]


def test_what_can_be_brought_back_is_told(sold):
    order, line, guest = sold
    path = f"/api/v1/orders/{order.pk}/return-eligibility"
    delivered = order.shipments.get().delivered_at

    before = guest.get(path).json()
    ask(guest, order, (line, 2, "other"))
    after = guest.get(path).json()
    ask(guest, order, (line, 1, "other"))

    assert before["eligible"] is True
    assert before["until"].startswith((delivered + timedelta(days=30)).isoformat()[:19])
    assert before["lines"] == [
        {
            "order_line_id": str(line.pk),
            "sku": line.sku,
            "name": line.name,
            "quantity": 3,
            "returnable": 3,
        }
    ]
    assert after["lines"][0]["returnable"] == 1
    assert guest.get(path).json()["reason"] == "nothing_left"


def test_nothing_comes_back_before_it_has_left_or_after_the_time_for_it(sold, settings):
    order, line, guest = sold
    Shipment.objects.update(delivered_at=timezone.now() - timedelta(days=29))
    settings.RETURN_WINDOW = timedelta(days=28)
    unsent, holder = placed_order()

    late = ask(guest, order, (line, 1, "other"))
    early = ask(
        APIClient(headers={"X-Order-Token": holder.token}),
        unsent,
        (unsent.lines.get(), 1, "other"),
    )

    assert refusal(late) == refusal(early) == (409, "not_returnable")
    assert late.json()["facts"] == {"reason": "window_over"}
    assert early.json()["facts"] == {"reason": "not_handed_over"}
    assert not Return.objects.exists()


def test_a_parcel_that_is_still_on_its_way_can_be_sent_back(sold):
    order, line, guest = sold
    Shipment.objects.all().delete()
    Shipment.objects.create(order=order, carrier="table_rates", status="handed_over")

    told = guest.get(f"/api/v1/orders/{order.pk}/return-eligibility").json()

    assert (told["eligible"], told["until"]) == (True, None)
    assert ask(guest, order, (line, 1, "changed_mind")).status_code == 201


def test_no_more_comes_back_than_was_bought(sold):
    order, line, guest = sold
    ask(guest, order, (line, 2, "other"))

    answer = ask(guest, order, (line, 2, "other"))

    assert refusal(answer) == (409, "more_than_bought")
    assert answer.json()["facts"] == {"order_line_id": str(line.pk), "left": 1}
    assert Return.objects.count() == 1


@pytest.mark.parametrize("step", ["rejections", "cancellations"])
def test_what_does_not_come_back_after_all_can_be_asked_for_again(sold, step):
    order, line, guest = sold
    first = ask(guest, order, (line, 3, "other"))["Location"]
    staff = staff_client("orders.decide_return", "orders.view_order")

    body = {"reason": "It was opened."} if step == "rejections" else {}
    ended = staff.post(f"{first}/{step}", body)

    assert ended.status_code == 201
    assert ended.json()["note"] == body.get("reason", "")
    assert ask(guest, order, (line, 3, "other")).status_code == 201


def test_pieces_that_are_not_accepted_are_free_again(sold, warehouse):
    order, line, _ = sold
    found = received_return(order, 3)

    told = inspect(warehouse, found, 1, "write_off").json()

    assert told["amount"]["amount"] == "10.00"
    line.refresh_from_db()
    assert line.returning_quantity == 1


def test_what_is_written_off_is_paid_back_and_not_sold_again(sold, lamp, warehouse):
    order, _, _ = sold

    told = inspect(warehouse, received_return(order, 2), 2, "write_off").json()

    assert told["refund"]["amount"]["amount"] == "20.00"
    assert on_hand(lamp) == 7
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_a_return_of_which_nothing_is_accepted_is_closed_without_money(sold, lamp, warehouse):
    order, _line, _ = sold

    told = inspect(warehouse, received_return(order), 0, resolution=None).json()

    assert (told["status"], told["refund"], told["amount"]["amount"]) == ("closed", None, "0.00")
    assert (told["lines"][0]["accepted"], told["lines"][0]["resolution"]) == (0, None)
    assert on_hand(lamp) == 7
    assert not Refund.objects.exists()


def test_all_parts_of_an_order_and_its_shipping_add_up_to_what_was_paid(warehouse):
    tax_rate(tax_zone("US"), "8.875")
    odd, even = VariantFactory(price_minor=333, stock=9), VariantFactory(price_minor=1001, stock=9)
    order, _ = delivered_order({odd.pk: 3, even.pk: 2})
    assert order.tax_minor > 0
    total = 0

    for turn in range(3):
        rest = [line for line in order.lines.order_by("position") if line.quantity > turn]
        guest_return = ask(
            staff_client("orders.decide_return", "orders.view_order"),
            order,
            *((line, 1, "other") for line in rest),
        )
        found = Return.objects.get(pk=guest_return.json()["id"])
        Return.objects.filter(pk=found.pk).update(status="approved")
        Return.objects.filter(pk=found.pk).update(status="received")
        findings = [
            {"line_id": str(line.pk), "accepted": 1, "resolution": "restock"}
            for line in found.lines.all()
        ]
        answer = warehouse.post(
            f"/api/v1/returns/{found.pk}/inspections",
            {"lines": findings, "refund_shipping": turn == 2},
            headers={"Idempotency-Key": uuid4().hex},
        )
        assert answer.status_code == 201, answer.content
        found.refresh_from_db()
        assert found.refund.amount_minor == found.amount_minor
        total += found.amount_minor

    assert total == order.grand_total_minor
    assert refundable_minor(order.pk) == 0
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_the_shipping_goes_back_only_with_all_of_the_order(sold, warehouse):
    order, _, _ = sold
    found = received_return(order, 2)

    refused = inspect(warehouse, found, 2, refund_shipping=True)
    inspect(warehouse, found, 2)
    rest = inspect(warehouse, received_return(order, 1), 1, refund_shipping=True)

    assert refusal(refused) == (409, "shipping_is_kept")
    assert rest.json()["amount"]["amount"] == "16.00"
    assert rest.json()["shipping_refunded"] is True


def test_what_had_gone_back_before_does_not_go_back_again(sold, warehouse):
    order, _, _ = sold
    attempt = order.attempts.get()
    refunds.promise_refund(attempt, amount_minor=3000, reason="Sorry.")

    told = inspect(warehouse, received_return(order, 2), 2).json()

    assert told["amount"]["amount"] == "20.00"
    assert told["refund"]["amount"]["amount"] == "6.00"
    assert refundable_minor(order.pk) == 0


def test_a_part_of_the_parcel_s_price_is_given_back_and_not_once_more_with_the_goods(
    sold, warehouse
):
    order, _, _ = sold
    clerk = staff_client("orders.refund_order", "orders.view_order")
    part = {"amount": {"amount": "2.00", "currency": "USD"}, "reason": "Late."}
    path = f"/api/v1/orders/{order.pk}/refunds"
    answer = clerk.post(path, part, headers={"Idempotency-Key": uuid4().hex})

    goods = inspect(warehouse, received_return(order, 2), 2).json()
    rest = inspect(warehouse, received_return(order, 1), 1, refund_shipping=True).json()

    assert answer.status_code == 201
    assert goods["refund"]["amount"]["amount"] == "20.00"
    assert rest["amount"]["amount"] == "16.00"
    assert rest["refund"]["amount"]["amount"] == "14.00"
    assert refundable_minor(order.pk) == 0
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_money_that_could_not_be_sent_is_sent_again(sold, warehouse):
    order, _, _ = sold
    clerk = staff_client("orders.refund_order", "orders.view_order")
    found = received_return(order, 2)
    inspect(warehouse, found, 2)
    path = f"/api/v1/returns/{found.pk}"
    early = clerk.post(f"{path}/refunds")
    Refund.objects.update(status="in_flight")
    refunds._settle(Refund.objects.get(), refunds.RefundStatus.FAILED, failure_code="lost")
    assert clerk.get(path).json()["refund"]["status"] == "failed"

    again = clerk.post(f"{path}/refunds")

    assert refusal(early) == (409, "return_status_conflict")
    assert again.json()["refund"]["amount"]["amount"] == "20.00"
    assert again.json()["refund"]["status"] == "created"
    assert list(violations(ask_providers=False, workers_run=False)) == []


@pytest.mark.parametrize(
    ("quantity", "reason"),
    [
        *((0, "other"), (-1, "other"), (10**9, "other"), (10**30, "other"), (1.5, "other")),
        *(("1", "other"), ("٣", "other"), (True, "other"), (None, "other")),
        *((1, "bored"), (1, ""), (1, None), (1, 7)),
    ],
)
def test_a_bad_wish_is_refused_and_changes_nothing(sold, quantity, reason):
    order, line, guest = sold

    answer = ask(guest, order, (line, quantity, reason))

    assert refusal(answer) == (400, "validation_failed")
    assert not Return.objects.exists()


def test_other_bad_wishes_are_refused_and_change_nothing(sold):
    order, line, guest = sold
    foreign = placed_order()[0].lines.get()

    assert refusal(ask(guest, order)) == (400, "validation_failed")
    twice = ask(guest, order, (line, 1, "other"), (line, 1, "other"))
    assert refusal(twice) == (400, "validation_failed")
    assert refusal(ask(guest, order, *[(uuid4(), 1, "other")] * 101))[0] == 400
    assert refusal(ask(guest, order, (foreign, 1, "other"))) == (404, "unknown_order_line")
    assert refusal(ask(guest, order, ("x", 1, "other"))) == (400, "validation_failed")
    long = ask(guest, order, (line, 1, "other"), comment="x" * 1001)
    assert refusal(long) == (400, "validation_failed")
    nul = ask(guest, order, (line, 1, "other"), comment="a\0b")
    assert refusal(nul) == (400, "malformed_body")
    assert not Return.objects.exists()


def test_one_key_makes_one_return(sold):
    order, line, guest = sold

    first = ask(guest, order, (line, 1, "other"), key="k")
    again = ask(guest, order, (line, 1, "other"), key="k")
    other = ask(guest, order, (line, 2, "other"), key="k")

    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert other.status_code == 422
    assert Return.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"accepted": 4, "resolution": "restock"}, (422, "incomplete_inspection")),
        ({"accepted": 1}, (422, "incomplete_inspection")),
        ({"accepted": -1, "resolution": "restock"}, (400, "validation_failed")),
        ({"accepted": "1", "resolution": "restock"}, (400, "validation_failed")),
        ({"accepted": 10**20, "resolution": "restock"}, (400, "validation_failed")),
        ({"accepted": 1, "resolution": "burn"}, (400, "validation_failed")),
        ({"resolution": "restock"}, (400, "validation_failed")),
    ],
)
def test_a_bad_inspection_is_refused_and_changes_nothing(sold, lamp, warehouse, body, code):
    found = received_return(sold[0], 3)

    answer = warehouse.post(
        f"/api/v1/returns/{found.pk}/inspections",
        {"lines": [{"line_id": str(found.lines.get().pk), **body}]},
        headers={"Idempotency-Key": "k"},
    )

    assert refusal(answer) == code
    found.refresh_from_db()
    assert (found.status, on_hand(lamp)) == ("received", 7)
    assert not Refund.objects.exists()


def test_an_inspection_says_something_of_each_line_and_of_no_other(warehouse):
    order, _ = delivered_order({VariantFactory(stock=2).pk: 1 for _ in range(2)})
    found = received_return(order)
    some = {"line_id": str(found.lines.first().pk), "accepted": 1, "resolution": "restock"}
    path = f"/api/v1/returns/{found.pk}/inspections"

    for lines in ([some], [some, {**some, "line_id": str(uuid4())}]):
        answer = warehouse.post(path, {"lines": lines}, headers={"Idempotency-Key": uuid4().hex})
        assert refusal(answer) == (422, "incomplete_inspection")

    twice = warehouse.post(path, {"lines": [some, some]}, headers={"Idempotency-Key": "k"})
    assert refusal(twice) == (400, "validation_failed")


STEPS = ("approvals", "rejections", "receipts", "inspections", "cancellations")


@pytest.mark.parametrize(
    ("status", "open_steps"),
    [
        ("requested", {"approvals", "rejections", "cancellations"}),
        ("approved", {"receipts", "cancellations"}),
        ("received", {"inspections"}),
        ("inspected", set()),
        ("closed", set()),
        ("rejected", set()),
        ("cancelled", set()),
    ],
)
def test_steps_out_of_order_are_refused(sold, staff, status, open_steps):
    order, _, _ = sold
    boss = staff_client(
        *("orders.view_order", "orders.decide_return", "orders.inspect_return"),
    )
    for step in STEPS:
        found = requested_return(order)
        bring_to(found, status)
        body = {"reason": "No."} if step == "rejections" else {}
        if step == "inspections":
            answer = inspect(boss, found, 1)
        else:
            answer = boss.post(f"/api/v1/returns/{found.pk}/{step}", body)
        if step in open_steps:
            assert answer.status_code == 201, (step, answer.content)
        else:
            assert refusal(answer) == (409, "return_status_conflict"), step
            found.refresh_from_db()
            assert found.status == status
        free(found)


def bring_to(found, status):
    way = {
        "approved": ["approved"],
        "received": ["approved", "received"],
        "inspected": ["approved", "received", "inspected"],
        "closed": ["approved", "received", "inspected", "closed"],
    }.get(status, [status] if status != "requested" else [])
    for each in way:
        amount = {"amount_minor": 0} if each in {"inspected", "closed"} else {}
        Return.objects.filter(pk=found.pk).update(status=each, **amount)


def free(found):
    """Let the next return have the piece."""
    found.lines.all().delete()


def test_people_see_and_take_back_their_own_returns_alone(lamp):
    me, other = UserFactory(), UserFactory()
    order, _ = delivered_order({lamp.pk: 2}, customer_id=me.pk)
    path = ask(client_of(me), order, (order.lines.get(), 1, "other"))["Location"]

    assert [each["id"] for each in client_of(me).get("/api/v1/users/me/returns").json()["results"]]
    assert client_of(other).get("/api/v1/users/me/returns").json()["results"] == []
    assert client_of(other).get(path).status_code == 404
    assert client_of(other).post(f"{path}/cancellations").status_code == 404
    assert ask(client_of(other), order, (order.lines.get(), 1, "other")).status_code == 404
    assert APIClient().get(path).status_code == 404
    assert client_of(me).post(f"{path}/cancellations").json()["status"] == "cancelled"


def test_staff_who_only_look_bring_nothing_back(sold):
    order, line, _ = sold
    looker = staff_client("orders.view_order", "orders.view_return")
    found = requested_return(order)

    assert refusal(ask(looker, order, (line, 1, "other"))) == (403, "return_not_allowed")
    assert looker.post(f"/api/v1/returns/{found.pk}/cancellations").status_code == 403
    assert looker.post(f"/api/v1/returns/{found.pk}/approvals").status_code == 403
    assert looker.get(f"/api/v1/returns/{found.pk}").status_code == 200


def test_who_has_not_proven_themselves_lately_sends_no_money(sold):
    found = received_return(sold[0])
    stale = staff_client("orders.inspect_return", proven_at=timezone.now() - timedelta(hours=1))

    assert refusal(inspect(stale, found, 1)) == (403, "step_up_required")


def test_staff_list_returns_by_status(sold):
    order, _, _ = sold
    waiting, arrived = requested_return(order), received_return(order)
    reader = staff_client("orders.view_return")

    every = reader.get("/api/v1/returns").json()["results"]
    some = reader.get("/api/v1/returns?filter[status]=received").json()["results"]

    assert [each["id"] for each in every] == [str(arrived.pk), str(waiting.pk)]
    assert [each["id"] for each in some] == [str(arrived.pk)]
    assert refusal(reader.get("/api/v1/returns?filter[status]=lost"))[0] == 400


def test_the_list_costs_the_same_however_long_it_is(sold, django_assert_num_queries):
    for _ in range(3):
        requested_return(sold[0])
    reader = staff_client("orders.view_return")
    reader.get("/api/v1/returns")

    with django_assert_num_queries(7):
        reader.get("/api/v1/returns")


def test_the_reasons_are_a_closed_list():
    told = APIClient().get("/api/v1/return-reasons").json()["results"]

    assert {"code": "damaged_on_the_way", "name": "damaged on the way"} in told
    assert len(told) == 8
