"""Goods at several locations: they come, are counted, corrected and moved."""

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import interface as catalog
from apps.catalog.models import Stock, StockMovement
from apps.catalog.services.stock import (
    NotAQuantity,
    NotEnoughToMove,
    SameStockLocation,
    StockIsReserved,
    UnknownStockLocation,
    UnknownVariant,
    adjust,
    count,
    receive,
    receive_first,
    transfer,
)
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db


def balances(variant):
    rows = Stock.objects.filter(variant=variant).order_by("location__priority", "location__code")
    return {row.location.code: row.on_hand for row in rows.select_related("location")}


def bands():
    events = OutboxEvent.objects.filter(name="catalog.availability_changed").order_by("id")
    return [event.payload["band"] for event in events]


def test_goods_lie_where_they_were_taken_in():
    variant, north, document = VariantFactory(), StockLocationFactory(code="north"), new_id()

    receive(
        quantities=[(variant.pk, 2), (variant.pk, 3)],
        reason="delivery",
        location_id=north.pk,
        document_id=document,
    )

    assert balances(variant) == {"main": 0, "north": 5}
    line = StockMovement.objects.get()
    assert (line.kind, line.on_hand_delta, line.document_id) == ("receive", 5, document)
    assert line.stock.location == north
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 5


def test_first_goods_are_told_to_nobody_and_come_once():
    one, other = VariantFactory(), VariantFactory()

    receive_first(quantities={one.pk: 3, other.pk: 7}, reason="import")
    with pytest.raises(IntegrityError, match="stock_is_kept_once"), transaction.atomic():
        receive_first(quantities={one.pk: 1}, reason="import")

    assert (balances(one), balances(other)) == ({"main": 3}, {"main": 7})
    lines = StockMovement.objects.values_list("kind", "on_hand_delta", "reason")
    assert sorted(lines) == [("receive", 3, "import"), ("receive", 7, "import")]
    assert bands() == []
    assert catalog.stock_differences() == []


def test_a_correction_says_by_how_much():
    variant = VariantFactory(stock=5)

    adjust(deltas={variant.pk: -2}, reason="broken")
    adjust(deltas={variant.pk: 4}, reason="found")
    adjust(deltas={variant.pk: 0}, reason="nothing")

    assert balances(variant) == {"main": 7}
    lines = StockMovement.objects.filter(kind="adjust").order_by("id")
    assert list(lines.values_list("on_hand_delta", "reason")) == [(-2, "broken"), (4, "found")]
    assert catalog.stock_differences() == []


@pytest.mark.parametrize("delta", [-3, -6])
def test_a_correction_leaves_what_orders_hold_back(delta):
    variant = VariantFactory(sku="OAK", stock=5)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})

    with pytest.raises(StockIsReserved) as refusal:
        adjust(deltas={variant.pk: delta}, reason="broken")

    assert refusal.value.facts == {"skus": ["OAK"]}
    assert balances(variant) == {"main": 5}


def test_a_transfer_moves_free_pieces_and_leaves_two_lines():
    variant, north = VariantFactory(stock=5), StockLocationFactory(code="north")
    main = StockLocationFactory()
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})

    transfer(
        quantities={variant.pk: 3},
        from_location_id=main.pk,
        to_location_id=north.pk,
        reason="closer",
    )

    assert balances(variant) == {"main": 2, "north": 3}
    lines = StockMovement.objects.filter(kind="transfer").order_by("on_hand_delta")
    assert [(line.stock.location.code, line.on_hand_delta) for line in lines] == [
        ("main", -3),
        ("north", 3),
    ]
    assert catalog.stock_differences() == []


def test_what_is_promised_or_not_there_is_not_moved():
    first, second = VariantFactory(sku="A", stock=5), VariantFactory(sku="B", stock=5)
    main, north = StockLocationFactory(), StockLocationFactory(code="north")
    catalog.reserve(order_id=new_id(), quantities={first.pk: 2})

    with pytest.raises(NotEnoughToMove) as refusal:
        transfer(
            quantities={first.pk: 4, second.pk: 5},
            from_location_id=main.pk,
            to_location_id=north.pk,
            reason="closer",
        )

    assert refusal.value.facts == {"skus": ["A"]}
    assert balances(first)["main"] == balances(second)["main"] == 5


def test_what_is_on_its_way_lies_nowhere():
    variant, main, north = (
        VariantFactory(stock=5),
        StockLocationFactory(),
        StockLocationFactory(code="north"),
    )
    lines = {variant.pk: 2}

    transfer(quantities=lines, from_location_id=main.pk, to_location_id=None, reason="sent")
    assert balances(variant) == {"main": 3}
    transfer(quantities=lines, from_location_id=None, to_location_id=north.pk, reason="arrived")

    assert balances(variant) == {"main": 3, "north": 2}
    assert catalog.stock_differences() == []


def test_a_transfer_needs_two_different_known_locations():
    variant, main = VariantFactory(stock=5), StockLocationFactory()

    with pytest.raises(SameStockLocation):
        transfer(
            quantities={variant.pk: 1},
            from_location_id=main.pk,
            to_location_id=main.pk,
            reason="round",
        )
    with pytest.raises(UnknownStockLocation):
        transfer(
            quantities={variant.pk: 1},
            from_location_id=main.pk,
            to_location_id=new_id(),
            reason="lost",
        )

    assert balances(variant) == {"main": 5}


@pytest.mark.parametrize("change", ["receive", "adjust", "count"])
def test_unknown_variants_and_locations_are_refused(change):
    call = {
        "receive": lambda variant, where: receive(
            quantities={variant: 1}, reason="x", location_id=where
        ),
        "adjust": lambda variant, where: adjust(deltas={variant: 1}, reason="x", location_id=where),
        "count": lambda variant, where: count(counts={variant: 1}, reason="x", location_id=where),
    }[change]

    with pytest.raises(UnknownVariant):
        call(new_id(), None)
    with pytest.raises(UnknownStockLocation):
        call(VariantFactory().pk, new_id())

    assert not StockMovement.objects.exists()


@pytest.mark.parametrize("lines", [[(0, 10**9), (0, 1)], [(0, 0)], [(0, -1), (0, 5)]])
def test_a_sum_beyond_the_bounds_is_no_quantity(lines):
    variant = VariantFactory()

    with pytest.raises(NotAQuantity):
        receive(quantities=[(variant.pk, quantity) for _, quantity in lines], reason="x")


def test_a_change_of_band_is_told_once_and_nothing_else_is():
    variant, main, north = (
        VariantFactory(sku="OAK"),
        StockLocationFactory(),
        StockLocationFactory(code="north"),
    )

    receive(quantities={variant.pk: 5}, reason="delivery")
    assert bands() == ["low_stock"]
    receive(quantities={variant.pk: 1}, reason="delivery", location_id=north.pk)
    assert bands() == ["low_stock", "in_stock"]
    receive(quantities={variant.pk: 9}, reason="delivery")
    adjust(deltas={variant.pk: -2}, reason="broken")
    transfer(
        quantities={variant.pk: 8},
        from_location_id=main.pk,
        to_location_id=north.pk,
        reason="closer",
    )
    assert bands() == ["low_stock", "in_stock"]
    count(counts={variant.pk: 0}, reason="count", location_id=north.pk)
    count(counts={variant.pk: 0}, reason="count")

    assert bands() == ["low_stock", "in_stock", "low_stock", "out_of_stock"]
    event = OutboxEvent.objects.filter(name="catalog.availability_changed").latest("id")
    assert event.aggregate_id == variant.pk
    assert event.payload == {
        "product_id": str(variant.product_id),
        "variant_id": str(variant.pk),
        "sku": "OAK",
        "band": "out_of_stock",
    }


def test_what_lies_at_a_closed_location_is_not_for_sale():
    variant = VariantFactory(sku="OAK", stock=2)
    closed = StockLocationFactory(code="closed", is_active=False)

    receive(quantities={variant.pk: 9}, reason="delivery", location_id=closed.pk)

    assert bands() == []
    offer = catalog.offers(variant_ids=[variant.pk])[variant.pk]
    assert (offer.available, offer.availability) == (2, "low_stock")
    with pytest.raises(catalog.OutOfStock):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})
