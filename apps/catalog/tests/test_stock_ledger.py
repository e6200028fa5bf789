"""The ledger explains every balance and cannot be rewritten."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apps.catalog import interface as catalog
from apps.catalog.models import Stock, StockMovement
from apps.catalog.services.stock import StockIsReserved, UnknownVariant, count
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id

pytestmark = pytest.mark.django_db


def test_every_way_to_change_stock_leaves_its_line():
    variant, first, second, actor = VariantFactory(), new_id(), new_id(), new_id()

    catalog.receive(quantities={variant.pk: 10}, reason="delivery 7", actor_id=actor)
    catalog.reserve(order_id=first, quantities={variant.pk: 2})
    catalog.reserve(order_id=second, quantities={variant.pk: 3})
    catalog.release(order_id=first)
    catalog.ship(order_id=second)
    count(counts={variant.pk: 6}, reason="broken", actor_id=actor)

    columns = ("kind", "on_hand_delta", "reserved_delta", "order_id", "reason", "actor_id")
    assert list(StockMovement.objects.order_by("id").values_list(*columns)) == [
        ("receive", 10, 0, None, "delivery 7", actor),
        ("reserve", 0, 2, first, "", None),
        ("reserve", 0, 3, second, "", None),
        ("release", 0, -2, first, "", None),
        ("ship", -3, -3, second, "", None),
        ("count", -1, 0, None, "broken", actor),
    ]
    assert catalog.stock_differences() == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE catalog_stock SET on_hand = on_hand + 1 WHERE id = %s", (6, 2, 0, 5, 2, 0, 2, 0)),
        (
            "UPDATE catalog_stock SET reserved = reserved - 1 WHERE id = %s",
            (5, 1, 0, 5, 2, 0, 2, 0),
        ),
        (
            "UPDATE catalog_reservation SET state = 'released' WHERE stock_id = %s",
            (5, 2, 0, 5, 2, 0, 0, 0),
        ),
    ],
)
def test_a_balance_that_nothing_explains_is_found(django_assert_num_queries, change, found):
    variant = VariantFactory(sku="OAK", stock=5)
    VariantFactory(stock=3)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})
    stock = Stock.objects.get(variant=variant)
    with connection.cursor() as cursor:
        cursor.execute(change, [stock.pk])

    with django_assert_num_queries(1):
        differences = catalog.stock_differences()

    assert differences == [catalog.StockDifference("OAK", "main", *found)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE catalog_stockmovement SET on_hand_delta = 99",
        "UPDATE catalog_stockmovement SET reason = 'other'",
        "DELETE FROM catalog_stockmovement",
    ],
)
def test_the_ledger_cannot_be_rewritten(statement):
    VariantFactory(stock=5)

    with (
        pytest.raises(ProgrammingError, match="Cannot update or delete"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert StockMovement.objects.get().on_hand_delta == 5


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "receive", "on_hand_delta": -1, "reserved_delta": 0},
        {"kind": "receive", "on_hand_delta": 1, "reserved_delta": 1},
        {"kind": "adjust", "on_hand_delta": 0, "reserved_delta": 0},
        {"kind": "reserve", "on_hand_delta": 0, "reserved_delta": -1, "order": True},
        {"kind": "reserve", "on_hand_delta": 0, "reserved_delta": 1},
        {"kind": "release", "on_hand_delta": 0, "reserved_delta": 1, "order": True},
        {"kind": "ship", "on_hand_delta": -2, "reserved_delta": -1, "order": True},
        {"kind": "ship", "on_hand_delta": -1, "reserved_delta": -1},
        {"kind": "gift", "on_hand_delta": 1, "reserved_delta": 0},
    ],
)
def test_the_database_refuses_a_line_that_does_not_fit_its_kind(line):
    VariantFactory(stock=5)
    order_id = new_id() if line.pop("order", False) else None

    with pytest.raises(IntegrityError, match="stock_movement_fits_its_kind"), transaction.atomic():
        StockMovement.objects.create(stock=Stock.objects.get(), order_id=order_id, **line)


@pytest.mark.parametrize(
    ("balance", "rule"),
    [
        ({"on_hand": -1, "backorder_limit": 9}, "stock_on_hand_is_not_negative"),
        ({"reserved": -1}, "stock_reserved_is_not_negative"),
        ({"allocated": -1}, "stock_allocated_is_not_negative"),
        ({"reserved": 6}, "stock_promises_are_covered"),
        ({"reserved": 3, "allocated": 3}, "stock_promises_are_covered"),
        ({"reserved": 8, "allocated": 8, "backorder_limit": 10}, "stock_promises_are_covered"),
        ({"policy": "backorder"}, "stock_policy_is_complete"),
        ({"policy": "preorder", "backorder_limit": 9}, "stock_policy_is_complete"),
        ({"policy": "gift", "backorder_limit": 9}, "stock_policy_is_complete"),
    ],
)
def test_the_database_refuses_an_impossible_balance(balance, rule):
    VariantFactory(stock=5)

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Stock.objects.update(**balance)


def test_a_count_below_what_orders_hold_back_is_refused():
    variant = VariantFactory(sku="OAK", stock=5)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})

    with pytest.raises(StockIsReserved) as refusal:
        count(counts={variant.pk: 2}, reason="count")

    assert refusal.value.facts == {"skus": ["OAK"]}
    assert Stock.objects.get().on_hand == 5


def test_a_count_that_changes_nothing_leaves_no_line():
    variant = VariantFactory(stock=5)

    count(counts={variant.pk: 5}, reason="count")

    assert StockMovement.objects.count() == 1


def test_the_first_count_of_a_variant_opens_its_balance():
    variant = VariantFactory()

    count(counts={variant.pk: 4}, reason="count")

    assert Stock.objects.get().on_hand == 4
    assert catalog.stock_differences() == []


def test_an_unknown_variant_cannot_be_counted():
    with pytest.raises(UnknownVariant):
        count(counts={new_id(): 4}, reason="count")
