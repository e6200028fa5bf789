"""Transfers: goods on their way are neither lost nor sold, whoever does what at once."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.models import (
    Stock,
    StockLocation,
    StockMovement,
    StockTransfer,
    StockTransferLine,
)
from apps.catalog.selectors.stock_transfers import transfer_differences
from apps.catalog.services.transfers import Arrival, receive_transfer
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.errors import DomainError
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
TRANSFERS = "/api/v1/stock-transfers"


@pytest.fixture(autouse=True)
def shop(main_location):
    return StockLocation.objects.create(code="shop", name="Shop")


def send(client, method, path, document, **headers):
    """Send a request with a key of its own."""
    return getattr(client, method)(
        path, document, headers={"Idempotency-Key": uuid4().hex, **headers}
    )


def drafted(client, **quantities):
    """Return the path of a transfer from the main location to the shop."""
    made = send(
        client,
        "post",
        TRANSFERS,
        {
            "from_location": "main",
            "to_location": "shop",
            "lines": [{"sku": sku, "quantity": n} for sku, n in quantities.items()],
        },
    )
    assert made.status_code == 201, made.content
    return made["Location"]


def sent(client, **quantities):
    path = drafted(client, **quantities)
    answer = send(client, "patch", path, {"status": "in_transit"})
    assert answer.status_code == 200, answer.content
    return path


def receive(client, path, **arrived):
    return send(
        client,
        "post",
        f"{path}/receipts",
        {"lines": [{"sku": sku, "quantity": n} for sku, n in arrived.items()]},
    )


def another(client):
    """Return a client of the same person for another thread."""
    twin = APIClient()
    twin.force_authenticate(client.handler._force_user, token=client.handler._force_token)
    return twin


def on_hand(sku):
    """Return what lies in the main location, in the shop, and on its way."""
    places = dict(Stock.objects.filter(variant__sku=sku).values_list("location__code", "on_hand"))
    on_its_way = sum(
        line.quantity - line.received - line.lost
        for line in StockTransferLine.objects.filter(
            variant__sku=sku, transfer__status="in_transit"
        )
    )
    return places["main"], places.get("shop", 0), on_its_way


def refusal(answer):
    return answer.status_code, answer.json()["code"], answer.json().get("facts")


def settled():
    assert catalog.stock_differences() == []
    assert transfer_differences() == []


def test_goods_leave_are_on_their_way_and_arrive_in_parts(staff):
    VariantFactory(sku="LAMP", stock=10)
    VariantFactory(sku="DESK", stock=3)
    path = drafted(staff, LAMP=4, DESK=3)
    assert on_hand("LAMP") == (10, 0, 0)

    leaves = send(staff, "patch", path, {"status": "in_transit"})
    assert (leaves.json()["status"], on_hand("LAMP"), on_hand("DESK")) == (
        "in_transit",
        (6, 0, 4),
        (0, 0, 3),
    )
    settled()
    part = receive(staff, path, LAMP=1, DESK=3)
    assert (part.json()["status"], on_hand("LAMP"), on_hand("DESK")) == (
        "in_transit",
        (6, 1, 3),
        (0, 3, 0),
    )
    settled()
    rest = receive(staff, path, LAMP=3)

    assert (rest.status_code, rest.json()["status"]) == (201, "received")
    assert (on_hand("LAMP"), on_hand("DESK")) == ((6, 4, 0), (0, 3, 0))
    assert staff.get(path).json() == rest.json()
    assert [(x["sku"], x["quantity"], x["received"]) for x in rest.json()["lines"]] == [
        ("DESK", 3, 3),
        ("LAMP", 4, 4),
    ]
    moved = StockMovement.objects.filter(document_id=rest.json()["id"])
    assert {m.kind for m in moved} == {"transfer"}
    assert sum(m.on_hand_delta for m in moved) == 0
    settled()
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "catalog.stock_transfer_drafted",
        "catalog.stock_transfer_sent",
        "catalog.stock_transfer_received",
        "catalog.stock_transfer_received",
    ]


def test_what_is_lost_on_the_way_is_taken_in_nowhere(staff):
    VariantFactory(sku="LAMP", stock=10)
    path = sent(staff, LAMP=4)

    over = send(
        staff,
        "post",
        f"{path}/receipts",
        {"lines": [{"sku": "LAMP", "quantity": 3, "lost": 1}]},
    )

    assert over.json()["status"] == "received"
    assert over.json()["lines"][0]["lost"] == 1
    assert on_hand("LAMP") == (6, 3, 0)
    settled()


def test_goods_on_their_way_are_not_sold(staff):
    lamp = VariantFactory(sku="LAMP", stock=10)
    sent(staff, LAMP=8)

    with pytest.raises(catalog.OutOfStock):
        catalog.reserve(order_id=new_id(), quantities={lamp.pk: 3})
    catalog.reserve(order_id=new_id(), quantities={lamp.pk: 2})

    settled()


def test_what_is_promised_stays_where_it_lies(staff):
    lamp = VariantFactory(sku="LAMP", stock=10)
    VariantFactory(sku="DESK", stock=10)
    catalog.reserve(order_id=new_id(), quantities={lamp.pk: 3})
    path = drafted(staff, LAMP=8, DESK=1)

    leaves = send(staff, "patch", path, {"status": "in_transit"})

    assert refusal(leaves) == (409, "not_enough_to_move", {"skus": ["LAMP"]})
    assert staff.get(path).json()["status"] == "draft"
    assert (on_hand("LAMP"), on_hand("DESK")) == ((10, 0, 0), (10, 0, 0))
    settled()


def test_a_draft_is_changed_or_given_up_and_what_has_left_is_not(staff):
    VariantFactory(sku="LAMP", stock=10)
    VariantFactory(sku="DESK", stock=10)
    path = drafted(staff, LAMP=4)

    lines = [{"sku": "desk", "quantity": 1}, {"sku": "DESK", "quantity": 2}]
    changed = send(staff, "patch", path, {"note": "by van", "lines": lines})
    given_up = send(staff, "patch", path, {"status": "cancelled"})
    too_late = send(staff, "patch", path, {"status": "in_transit"})

    assert [(x["sku"], x["quantity"]) for x in changed.json()["lines"]] == [("DESK", 3)]
    assert changed.json()["note"] == "by van"
    assert given_up.json()["status"] == "cancelled"
    conflict = (409, "stock_transfer_status_conflict")
    assert refusal(too_late) == (*conflict, {"status": "cancelled"})
    assert refusal(receive(staff, path, DESK=1)) == (*conflict, {"status": "cancelled"})
    path = sent(staff, LAMP=1)
    assert refusal(send(staff, "patch", path, {"note": "x"})) == (
        *conflict,
        {"status": "in_transit"},
    )
    assert on_hand("DESK") == (10, 0, 0)
    settled()


def test_a_transfer_that_makes_no_sense_is_refused_and_nothing_is_written(staff):
    VariantFactory(sku="LAMP", stock=10)
    fine = {
        "from_location": "main",
        "to_location": "shop",
        "lines": [{"sku": "LAMP", "quantity": 1}],
    }
    for change, expected in (
        ({"to_location": "main"}, (422, "same_stock_location")),
        ({"to_location": "moon"}, (404, "unknown_stock_location")),
        ({"lines": [{"sku": "NONE", "quantity": 1}]}, (404, "unknown_variant")),
        ({"lines": [{"sku": "LAMP", "quantity": 10**9}] * 2}, (422, "not_a_quantity")),
        ({"lines": [{"sku": "LAMP", "quantity": 0}]}, (400, "validation_failed")),
        ({"lines": [{"sku": "LAMP", "quantity": 10**12}]}, (400, "validation_failed")),
        ({"lines": []}, (400, "validation_failed")),
        ({"status": "received"}, (400, "validation_failed")),
    ):
        answer = send(staff, "post", TRANSFERS, {**fine, **change})
        assert refusal(answer)[:2] == expected, change
    assert not StockTransfer.objects.exists()
    assert not AuditEntry.objects.exists()


def test_more_than_was_sent_does_not_arrive(staff):
    VariantFactory(sku="LAMP", stock=10)
    VariantFactory(sku="DESK", stock=10)
    VariantFactory(sku="SOFA", stock=10)
    path = sent(staff, LAMP=4, DESK=2)

    def receipt(*lines):
        wanted = [{"sku": sku, "quantity": n, "lost": lost} for sku, n, lost in lines]
        return refusal(send(staff, "post", f"{path}/receipts", {"lines": wanted}))

    beyond = (409, "more_than_was_sent")
    assert receipt(("LAMP", 5, 0), ("DESK", 1, 0)) == (*beyond, {"skus": ["LAMP"]})
    assert receipt(("LAMP", 3, 2)) == (*beyond, {"skus": ["LAMP"]})
    assert receipt(("LAMP", 3, 0), ("lamp", 2, 0)) == (*beyond, {"skus": ["LAMP"]})
    assert receipt(("SOFA", 1, 0)) == (*beyond, {"skus": ["SOFA"]})
    assert receipt(("NONE", 1, 0))[:2] == (404, "unknown_variant")
    assert (on_hand("LAMP"), on_hand("DESK")) == ((6, 0, 4), (8, 0, 2))
    settled()


def test_a_stale_version_moves_nothing(staff):
    VariantFactory(sku="LAMP", stock=10)
    path = drafted(staff, LAMP=4)
    seen = staff.get(path)["ETag"]
    send(staff, "patch", path, {"lines": [{"sku": "LAMP", "quantity": 9}]})

    stale = send(staff, "patch", path, {"status": "in_transit"}, **{"If-Match": seen})
    fresh = send(
        staff, "patch", path, {"status": "in_transit"}, **{"If-Match": staff.get(path)["ETag"]}
    )

    assert (stale.status_code, fresh.status_code) == (412, 200)


def test_a_key_moves_goods_once(staff):
    VariantFactory(sku="LAMP", stock=10)
    path = sent(staff, LAMP=4)
    arrived = {"lines": [{"sku": "LAMP", "quantity": 1}]}

    first = staff.post(f"{path}/receipts", arrived, headers={"Idempotency-Key": "once"})
    again = staff.post(f"{path}/receipts", arrived, headers={"Idempotency-Key": "once"})
    without = staff.post(f"{path}/receipts", arrived)

    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert without.json()["code"] == "idempotency_key_required"
    assert on_hand("LAMP") == (6, 1, 3)


def test_receipts_at_once_take_in_what_was_sent_and_no_more(transactional_db, staff):
    VariantFactory(sku="LAMP", stock=10)
    path = sent(staff, LAMP=4)

    answers = at_once(*[lambda: receive(another(staff), path, LAMP=1).status_code] * 8)

    assert sorted(answers) == [201] * 4 + [409] * 4
    assert on_hand("LAMP") == (6, 4, 0)
    assert StockTransfer.objects.get().status == "received"
    settled()


def test_a_draft_is_sent_once_however_many_send_it(transactional_db, staff):
    VariantFactory(sku="LAMP", stock=10)
    path = drafted(staff, LAMP=4)

    answers = at_once(
        *[lambda: send(another(staff), "patch", path, {"status": "in_transit"}).status_code] * 6
    )

    assert sorted(answers) == [200] + [409] * 5
    assert on_hand("LAMP") == (6, 0, 4)
    settled()


def test_the_last_piece_is_sold_or_sent_and_never_both(transactional_db, staff):
    for number in range(8):
        lamp = VariantFactory(sku=f"LAMP-{number}", stock=1)
        path = drafted(staff, **{lamp.sku: 1})

        def sell(lamp=lamp):
            try:
                with transaction.atomic():
                    catalog.reserve(order_id=new_id(), quantities={lamp.pk: 1})
            except catalog.OutOfStock:
                return "gone"
            return "sold"

        def leave(path=path):
            answer = send(another(staff), "patch", path, {"status": "in_transit"})
            return "sent" if answer.status_code == 200 else answer.json()["code"]

        outcome = tuple(at_once(sell, leave))

        assert outcome in {("sold", "not_enough_to_move"), ("gone", "sent")}
    settled()


def test_nothing_is_lost_among_many_who_send_receive_and_sell(transactional_db, staff):
    lamps = [VariantFactory(sku=f"L{n}", stock=60) for n in range(3)]

    def move(number):
        client = another(staff)
        for turn in range(3):
            wanted = {f"L{(number + turn + k) % 3}": 2 + k for k in range(2)}
            path = drafted(client, **wanted)
            if send(client, "patch", path, {"status": "in_transit"}).status_code == 200:
                first, *rest = wanted.items()
                receive(client, path, **dict([first]))
                if number % 2:
                    receive(client, path, **dict(rest))

    def sell():
        sold = 0
        for turn in range(12):
            order_id = new_id()
            try:
                with transaction.atomic():
                    catalog.reserve(order_id=order_id, quantities={x.pk: 1 for x in lamps})
            except catalog.OutOfStock:
                continue
            sold += catalog.ship(order_id=order_id) if turn % 2 else 0
        return sold

    *_, sold = at_once(*[lambda n=n: move(n) for n in range(5)], sell)

    for lamp in lamps:
        assert sum(on_hand(lamp.sku)) == 60 - sold
    settled()


def test_the_database_takes_no_more_in_than_was_sent(staff):
    VariantFactory(sku="LAMP", stock=10)
    sent(staff, LAMP=4)

    for change in ({"received": 5}, {"received": 3, "lost": 2}, {"lost": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            StockTransferLine.objects.update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        StockTransfer.objects.update(status="received")


def test_a_transfer_that_the_ledger_contradicts_is_found(staff):
    VariantFactory(sku="LAMP", stock=10)
    path = sent(staff, LAMP=4)
    StockTransferLine.objects.update(received=1)

    [difference] = transfer_differences()
    with pytest.raises(CommandError, match="1 lines of transfers"):
        call_command("inventory", "verify", stderr=StringIO())

    assert (str(difference.transfer_id), difference.sku) == (path.rsplit("/", 1)[1], "LAMP")
    assert (difference.not_arrived, difference.ledger_not_arrived) == (3, 4)


def test_a_receipt_of_nobodys_transfer_is_not_found():
    with pytest.raises(DomainError) as refused:
        receive_transfer(transfer_id=new_id(), arrivals=[Arrival("LAMP", 1)])

    assert refused.value.code == "unknown_stock_transfer"


@pytest.mark.parametrize("number", [2, 12])
def test_a_page_costs_one_statement(staff, number, django_assert_num_queries):
    VariantFactory(sku="LAMP", stock=100)
    for _ in range(number):
        drafted(staff, LAMP=1)

    with django_assert_num_queries(1):
        page = staff.get(f"{TRANSFERS}?limit=50&filter[status]=draft").json()

    assert len(page["results"]) == number
    assert staff.get(f"{TRANSFERS}?filter[status]=received").json()["results"] == []


def test_customers_move_nothing(customer, staff):
    VariantFactory(sku="LAMP", stock=10)
    path = sent(staff, LAMP=1)

    for answer in (
        send(customer, "post", TRANSFERS, {}),
        send(customer, "patch", path, {}),
        receive(customer, path, LAMP=1),
        customer.get(TRANSFERS),
        customer.get(path),
    ):
        assert answer.status_code == 403
