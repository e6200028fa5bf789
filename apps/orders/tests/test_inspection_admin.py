"""Inspecting a return in the back office, line by line."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import Refund, Return
from apps.orders.selectors.orders import STORE
from apps.orders.services import returns
from apps.orders.services.invariants import violations
from apps.orders.states import ReturnReason
from apps.orders.tests.factories import delivered_order
from apps.users.tests.factories import StaffFactory, enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def warehouse(client):
    enter(client, StaffFactory(permissions=["orders.view_return", "orders.inspect_return"]))
    return client


@pytest.fixture
def found():
    """Return a received return of three lamps of 10.00 and two shades of 4.00."""
    StockLocationFactory()
    lamp = VariantFactory(price_minor=1000, stock=9, sku="LAMP")
    shade = VariantFactory(price_minor=400, stock=9, sku="SHADE")
    order, _ = delivered_order({lamp.pk: 3, shade.pk: 2})
    wanted = [
        returns.Wanted(line.pk, line.quantity, ReturnReason.CHANGED_MIND)
        for line in order.lines.all()
    ]
    asked = returns.request_return(holder=STORE, order_id=order.pk, wanted=wanted)
    returns.approve_return(return_id=asked.pk)
    returns.receive_return(return_id=asked.pk)
    asked.refresh_from_db()
    return asked


def page_of(found):
    return reverse("admin:orders_return_inspection", args=[found.pk])


def said(found, lamps, shades, **more):
    """Return what the form sends: accepted pieces, and what becomes of them, for each line."""
    lines = {line.order_line.sku: line.pk for line in found.lines.select_related("order_line")}
    form = {}
    for sku, (accepted, resolution) in {"LAMP": lamps, "SHADE": shades}.items():
        form |= {f"accepted-{lines[sku]}": accepted, f"resolution-{lines[sku]}": resolution}
    return form | more


def lines_of(found):
    rows = found.lines.order_by("order_line__position")
    return list(rows.values_list("accepted", "resolution", "amount_minor"))


def test_a_part_of_each_line_is_accepted_and_refunded(warehouse, found):
    page = warehouse.get(page_of(found)).content.decode()
    assert "LAMP" in page
    assert "accepted of 3" in page

    answer = warehouse.post(page_of(found), said(found, (2, "restock"), (1, "write_off")))

    assert answer.status_code == 302
    assert lines_of(found) == [(2, "restock", 2000), (1, "write_off", 400)]
    assert Refund.objects.get().amount_minor == 2400
    assert list(violations(ask_providers=False, workers_run=False)) == []


def test_all_of_it_and_the_parcel_s_price_go_back(warehouse, found):
    form = said(found, (3, "restock"), (2, "restock"), refund_shipping="on")

    warehouse.post(page_of(found), form)

    found.refresh_from_db()
    assert (found.refunds_shipping, found.amount_minor) == (True, found.order.grand_total_minor)


@pytest.mark.parametrize(
    ("findings", "more", "refusal"),
    [
        ([(4, "restock"), (1, "restock")], {}, "less than or equal to 3"),
        ([(-1, "restock"), (1, "restock")], {}, "greater than or equal to 0"),
        ([("x", "restock"), (1, "restock")], {}, "Enter a whole number"),
        ([("", "restock"), (1, "restock")], {}, "This field is required"),
        ([(1, ""), (1, "restock")], {}, "Say whether what is accepted is sold again."),
        ([(1, "burn"), (1, "restock")], {}, "Select a valid choice"),
        (
            [(1, "restock"), (1, "restock")],
            {"refund_shipping": "on"},
            "Not all of the order is back",
        ),
    ],
)
def test_what_makes_no_sense_is_shown_and_changes_nothing(
    warehouse, found, findings, more, refusal
):
    answer = warehouse.post(page_of(found), said(found, *findings, **more))

    assert answer.status_code == 200
    assert refusal in answer.content.decode()
    found.refresh_from_db()
    assert found.status == "received"
    assert not Refund.objects.exists()


def test_a_return_is_inspected_once(warehouse, found):
    form = said(found, (1, "restock"), (0, ""))
    warehouse.post(page_of(found), form)

    again = warehouse.post(page_of(found), form)

    assert "The return is inspected." in again.content.decode()
    assert Refund.objects.get().amount_minor == 1000


def test_only_who_inspects_sees_the_form_and_only_of_what_has_come(client, warehouse, found):
    change = reverse("admin:orders_return_change", args=[found.pk])
    assert page_of(found) in warehouse.get(change).content.decode()
    Return.objects.filter(pk=found.pk).update(status="inspected")
    assert page_of(found) not in warehouse.get(change).content.decode()

    enter(client, StaffFactory(permissions=["orders.view_return"]))

    assert client.get(page_of(found)).status_code == 403
    assert client.post(page_of(found), said(found, (1, "restock"), (0, ""))).status_code == 403


def test_who_has_not_shown_a_code_for_long_shows_one_first(client, found):
    staff = StaffFactory(permissions=["orders.view_return", "orders.inspect_return"])
    enter(client, staff, proven_at=timezone.now() - timedelta(minutes=11))

    answer = client.post(page_of(found), said(found, (1, "restock"), (0, "")))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:step_up"))
    assert lines_of(found) == [(None, "", None)] * 2
