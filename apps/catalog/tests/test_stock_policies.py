"""Orders that take more than lies there, at one location or at several."""

from datetime import date, timedelta

import pytest
from django.db.models.functions import Now

from apps.catalog import interface as catalog
from apps.catalog.models import Reservation, Stock, StockMovement
from apps.catalog.services.stock import (
    IncompletePolicy,
    LimitBelowOrders,
    NotEnoughToMove,
    StockIsReserved,
    UnknownVariant,
    count,
    expire_reservations,
    set_policy,
    transfer,
)
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.catalog.tests.test_stock_goods import bands
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db


def offer(variant):
    return catalog.offers(variant_ids=[variant.pk])[variant.pk]


def taken(order):
    rows = Reservation.objects.filter(order_id=order, state="active").order_by("id")
    return {row.stock.location.code: row.quantity for row in rows.select_related("stock__location")}


def test_a_backorder_is_taken_within_its_limit(visitor):
    variant, first = VariantFactory(stock=2), new_id()
    set_policy(variant_id=variant.pk, policy="backorder", limit=3)

    catalog.reserve(order_id=first, quantities={variant.pk: 4})

    assert (offer(variant).available, offer(variant).availability) == (1, "preorder")
    with pytest.raises(catalog.OutOfStock):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 1})
    assert (offer(variant).available, offer(variant).availability) == (0, "out_of_stock")
    assert bands() == ["preorder", "out_of_stock"]
    assert catalog.stock_differences() == []


def test_what_is_ordered_ahead_leaves_when_it_has_come(django_assert_num_queries):
    variant, order = VariantFactory(sku="OAK"), new_id()
    set_policy(variant_id=variant.pk, policy="backorder", limit=3)
    catalog.reserve(order_id=order, quantities={variant.pk: 2})
    catalog.allocate(order_id=order)

    assert not catalog.can_ship(order_id=order)
    with pytest.raises(catalog.GoodsNotThere) as refusal:
        catalog.ship(order_id=order)
    assert refusal.value.facts == {"skus": ["OAK"]}
    catalog.receive(quantities={variant.pk: 2}, reason="delivery")

    assert catalog.can_ship(order_id=order)
    assert catalog.ship(order_id=order)
    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved, stock.allocated) == (0, 0, 0)
    assert catalog.stock_differences() == []


def test_who_paid_first_gets_what_comes_first():
    variant, first, second = VariantFactory(), new_id(), new_id()
    set_policy(variant_id=variant.pk, policy="backorder", limit=9)
    for order in (second, first):
        catalog.reserve(order_id=order, quantities={variant.pk: 2})
    for order in (first, second):
        catalog.allocate(order_id=order)

    catalog.receive(quantities={variant.pk: 3}, reason="delivery")

    assert (catalog.can_ship(order_id=first), catalog.can_ship(order_id=second)) == (True, False)


def test_a_preorder_names_its_day(visitor):
    variant, day = VariantFactory(), date(2030, 1, 2)
    set_policy(variant_id=variant.pk, policy="preorder", limit=5, available_on=day)

    assert (offer(variant).availability, offer(variant).available_on) == ("preorder", day)
    document = visitor.get(f"/api/v1/inventory/{variant.product_id}").json()
    assert document["availability"] == "preorder"
    assert document["variants"][0]["available_on"] == "2030-01-02"
    listed = visitor.get("/api/v1/products?filter[availability]=preorder").json()["results"]
    assert [product["availability"] for product in listed] == ["preorder"]
    catalog.receive(quantities={variant.pk: 9}, reason="delivery")
    assert (offer(variant).availability, offer(variant).available_on) == ("in_stock", None)
    assert offer(variant).available == 14


def test_who_sells_no_more_ahead_still_owes_what_was_sold():
    variant = VariantFactory()
    set_policy(variant_id=variant.pk, policy="backorder", limit=5)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})

    with pytest.raises(LimitBelowOrders):
        set_policy(variant_id=variant.pk, policy="backorder", limit=2)
    set_policy(variant_id=variant.pk, policy="deny")
    catalog.receive(quantities={variant.pk: 2}, reason="delivery")

    assert (offer(variant).available, offer(variant).availability) == (0, "out_of_stock")
    with pytest.raises(catalog.OutOfStock):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: 1})


def test_what_came_for_those_who_wait_is_not_counted_away():
    variant = VariantFactory(sku="OAK")
    set_policy(variant_id=variant.pk, policy="backorder", limit=5)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})
    set_policy(variant_id=variant.pk, policy="deny")
    catalog.receive(quantities={variant.pk: 2}, reason="delivery")

    with pytest.raises(StockIsReserved) as refusal:
        count(counts={variant.pk: 1}, reason="x")

    assert refusal.value.facts == {"skus": ["OAK"]}
    count(counts={variant.pk: 4}, reason="x")
    assert offer(variant).available == 1


@pytest.mark.parametrize(
    "policy",
    [
        {"policy": "backorder"},
        {"policy": "backorder", "limit": -1},
        {"policy": "preorder", "limit": 5},
        {"policy": "deny", "limit": 5},
        {"policy": "deny", "available_on": date(2030, 1, 2)},
        {"policy": "gift", "limit": 5},
    ],
    ids=[
        "no limit",
        "a negative limit",
        "no day",
        "a limit of nothing",
        "a day of nothing",
        "gift",
    ],
)
def test_an_incomplete_policy_is_refused(policy):
    variant = VariantFactory(stock=1)

    with pytest.raises(IncompletePolicy):
        set_policy(variant_id=variant.pk, **policy)

    assert Stock.objects.get().policy == "deny"


def test_an_unknown_variant_has_no_policy():
    with pytest.raises(UnknownVariant):
        set_policy(variant_id=new_id(), policy="backorder", limit=1)


def test_locations_serve_by_their_priority_and_what_is_to_come_last():
    variant, order = VariantFactory(stock=2), new_id()
    StockLocationFactory().refresh_from_db()
    far = StockLocationFactory(code="far", priority=90)
    near = StockLocationFactory(code="near", priority=10)
    closed = StockLocationFactory(code="closed", priority=1, is_active=False)
    for location, quantity in ((far, 5), (near, 1), (closed, 9)):
        catalog.receive(quantities={variant.pk: quantity}, reason="x", location_id=location.pk)
    set_policy(variant_id=variant.pk, policy="backorder", limit=4)

    catalog.reserve(order_id=order, quantities=[(variant.pk, 3), (variant.pk, 6)])

    assert taken(order) == {"main": 3, "near": 1, "far": 5}
    assert offer(variant).available == 3
    catalog.allocate(order_id=order)
    assert catalog.release(order_id=order)
    assert catalog.stock_differences() == []
    assert set(Stock.objects.values_list("reserved", "allocated")) == {(0, 0)}


def test_a_reservation_ends_by_itself_and_only_once():
    variant, over, lasting, endless = VariantFactory(stock=9), new_id(), new_id(), new_id()
    catalog.reserve(order_id=over, quantities={variant.pk: 1}, hold_for=timedelta(seconds=-1))
    catalog.reserve(order_id=lasting, quantities={variant.pk: 2}, hold_for=timedelta(hours=1))
    catalog.reserve(order_id=endless, quantities={variant.pk: 3})

    assert (expire_reservations(), expire_reservations()) == (1, 0)

    assert dict(Reservation.objects.values_list("order_id", "state")) == {
        over: "released",
        lasting: "active",
        endless: "active",
    }
    line = StockMovement.objects.get(kind="release")
    assert (line.order_id, line.reason) == (over, "its time was over")
    assert not catalog.keep(order_id=over)
    assert catalog.stock_differences() == []


def test_what_is_kept_or_paid_does_not_end():
    variant, kept, paid = VariantFactory(stock=9), new_id(), new_id()
    for order in (kept, paid):
        catalog.reserve(order_id=order, quantities={variant.pk: 1}, hold_for=timedelta(hours=1))
    assert catalog.keep(order_id=kept)
    assert catalog.allocate(order_id=paid)
    Reservation.objects.filter(order_id=paid).update(expires_at=Now() - timedelta(seconds=1))

    assert expire_reservations() == 0

    assert catalog.held_units(order_ids=[kept, paid]) == {kept: 1, paid: 1}


def test_what_was_sent_comes_back_once_and_not_more():
    variant, order = VariantFactory(sku="OAK", stock=5), new_id()
    north = StockLocationFactory(code="north")
    catalog.reserve(order_id=order, quantities={variant.pk: 3})
    with pytest.raises(catalog.NotShipped):
        catalog.return_to_stock(order_id=order, quantities={variant.pk: 1}, reason="too small")
    catalog.allocate(order_id=order)
    catalog.ship(order_id=order)

    catalog.return_to_stock(
        order_id=order, quantities={variant.pk: 2}, reason="too small", location_id=north.pk
    )
    with pytest.raises(catalog.NotShipped) as refusal:
        catalog.return_to_stock(order_id=order, quantities={variant.pk: 2}, reason="too small")
    catalog.return_to_stock(order_id=order, quantities={variant.pk: 1}, reason="too small")

    assert refusal.value.facts == {"skus": ["OAK"]}
    rows = Stock.objects.values_list("location__code", "on_hand")
    assert dict(rows) == {"main": 3, "north": 2}
    assert catalog.stock_differences() == []


def test_every_step_of_a_paid_order_leaves_its_line():
    variant, order = VariantFactory(stock=5), new_id()

    catalog.reserve(order_id=order, quantities={variant.pk: 2})
    catalog.allocate(order_id=order)
    catalog.ship(order_id=order)

    lines = StockMovement.objects.filter(order_id=order).order_by("id")
    assert list(
        lines.values_list("kind", "on_hand_delta", "reserved_delta", "allocated_delta")
    ) == [("reserve", 0, 2, 0), ("allocate", 0, -2, 2), ("ship", -2, 0, -2)]
    assert not catalog.allocate(order_id=order)
    assert not catalog.release(order_id=order)


def test_a_transfer_leaves_what_is_owed():
    variant, main, north = (
        VariantFactory(stock=2),
        StockLocationFactory(),
        StockLocationFactory(code="north"),
    )
    set_policy(variant_id=variant.pk, policy="backorder", limit=5)
    order = new_id()
    catalog.reserve(order_id=order, quantities={variant.pk: 4})

    with pytest.raises(catalog.OutOfStock):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: 4})
    with pytest.raises(NotEnoughToMove):
        transfer(
            quantities={variant.pk: 1},
            from_location_id=main.pk,
            to_location_id=north.pk,
            reason="x",
        )


def path_of(variant):
    return f"/api/v1/variants/{variant.pk}/stock-policy"


def test_staff_say_how_a_variant_is_sold_and_saying_it_again_changes_nothing(staff):
    variant = VariantFactory(sku="OAK", stock=50)
    asked = {"policy": "preorder", "limit": 5, "available_on": "2030-01-01", "is_hot": True}
    usual = {"policy": "deny", "limit": 0, "available_on": None, "is_hot": False}
    known = {"variant_id": str(variant.pk), "sku": "OAK"}
    assert staff.get(path_of(variant)).json() == usual | known

    answer = staff.put(path_of(variant), asked)

    assert (answer.status_code, answer.json()) == (200, asked | known)
    balance = Stock.objects.values().get()
    assert (balance["policy"], balance["backorder_limit"]) == ("preorder", 5)
    # All free pieces but few lie in the pool of a hot variant.
    assert (balance["is_hot"], balance["reserved"]) == (True, 44)
    assert staff.put(path_of(variant), asked).json() == asked | known
    assert Stock.objects.values().get() == balance
    assert catalog.stock_differences() == []
    made_hot = AuditEntry.objects.get(action="catalog.stock_made_hot")
    assert made_hot.about == str(variant.pk)
    assert AuditEntry.objects.filter(action="catalog.stock_policy_set").count() == 2

    assert staff.put(path_of(variant), {"policy": "deny"}).json() == usual | known
    assert Stock.objects.get().reserved == 0


def test_what_was_ordered_ahead_is_no_limit_once_nothing_more_is(staff):
    variant = VariantFactory()
    staff.put(path_of(variant), {"policy": "backorder", "limit": 3})
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})

    refused = staff.put(path_of(variant), {"policy": "backorder", "limit": 1, "is_hot": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "limit_below_orders")
    assert staff.get(path_of(variant)).json()["is_hot"] is False
    answer = staff.put(path_of(variant), {"policy": "deny"}).json()
    assert (answer["policy"], answer["limit"]) == ("deny", 0)
    assert Stock.objects.get().backorder_limit == 2


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 400),
        ({"policy": "hope"}, 400),
        ({"policy": "backorder", "limit": -1}, 400),
        ({"policy": "backorder", "limit": "5"}, 400),
        ({"policy": "backorder", "limit": 10**10}, 400),
        ({"policy": "deny", "is_hot": "yes"}, 400),
        ({"policy": "deny", "hot": True}, 400),
        ({"policy": "backorder"}, 422),
        ({"policy": "preorder", "limit": 5}, 422),
        ({"policy": "deny", "limit": 5}, 422),
    ],
    ids=range(10),
)
def test_a_policy_that_makes_no_sense_is_refused(staff, said, status):
    variant = VariantFactory(stock=1)

    assert staff.put(path_of(variant), said).status_code == status
    assert Stock.objects.get().policy == "deny"


def test_what_is_not_there_is_not_sold(staff):
    path = f"/api/v1/variants/{new_id()}/stock-policy"

    for answer in (staff.get(path), staff.put(path, {"policy": "deny"})):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_variant")
