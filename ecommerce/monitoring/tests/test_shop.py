"""The shop's figures: they count what happened, once, and follow it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from prometheus_client.core import Metric

from apps.catalog.tests.factories import VariantFactory
from apps.kernel.mail import send
from apps.kernel.models import Work
from apps.orders.tests.factories import placed_order, ready_cart
from ecommerce.monitoring import servers, shop
from ecommerce.monitoring.shop import Trade

pytestmark = pytest.mark.django_db


def value(metrics: list[Metric], sample_name: str, **labels: str) -> float | None:
    for metric in metrics:
        for sample in metric.samples:
            if sample.name == sample_name and sample.labels == labels:
                return sample.value
    return None


def test_orders_and_carts_are_counted_and_what_they_amount_to() -> None:
    order, _ = placed_order()
    ready_cart()

    figures = Trade().read()

    total = float(order.grand_total_minor)
    assert value(figures, "shop_orders_total", status="pending_payment") == 1
    assert value(figures, "shop_orders_total", status="paid") == 0
    assert value(figures, "shop_orders_now", status="pending_payment") == 1
    assert value(figures, "shop_carts_total") == 2
    labels = {"status": "pending_payment", "currency": order.currency}
    assert value(figures, "shop_order_value_minor_total", **labels) == total


@pytest.mark.django_db(transaction=True)
def test_what_has_settled_is_counted_once_and_what_comes_later_is_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    placed_order()
    trade = Trade()
    monkeypatch.setattr(shop, "SETTLED", timedelta(0))
    first = trade.read()
    placed_order()
    second = trade.read()
    third = trade.read()

    counted = [
        value(figures, "shop_orders_total", status="pending_payment")
        for figures in (first, second, third)
    ]
    assert counted == [1, 2, 2]
    assert value(third, "shop_carts_total") == value(Trade().read(), "shop_carts_total") == 2


def test_open_work_is_told_by_kind_with_its_age() -> None:
    placed_order()

    figures = shop.work()

    assert value(figures, "work_open", kind="payment") == 1
    assert value(figures, "work_due", kind="payment") == 1
    assert 0 <= (value(figures, "work_oldest_due_seconds", kind="payment") or -1) < 60
    assert value(figures, "work_open", kind="refund") == 0
    assert value(figures, "payments_open", status="created") == 1
    assert value(figures, "outbox_open_events") == 1


def test_work_that_somebody_has_is_open_and_not_due() -> None:
    order, _ = placed_order()
    order.attempts.update(lease_until=Now() + timedelta(seconds=30))

    figures = shop.work()

    assert value(figures, "work_open", kind="payment") == 1
    assert value(figures, "work_due", kind="payment") == 0
    assert value(figures, "work_oldest_due_seconds", kind="payment") == 0


def test_every_table_of_work_is_watched() -> None:
    with CaptureQueriesContext(connection) as asked:
        shop.work()

    watched = " ".join(query["sql"] for query in asked)
    tables = {model._meta.db_table for model in apps.get_models() if issubclass(model, Work)}
    assert {table for table in tables if f'FROM "{table}"' not in watched} == set()


def test_waiting_mails_are_work() -> None:
    with transaction.atomic():
        send("session_reuse", to="robin@example.com")

    figures = shop.work()

    assert value(figures, "work_open", kind="mail") == 1
    assert value(figures, "work_due", kind="mail") == 1


def test_stock_is_told_by_what_is_left_and_what_orders_hold_back() -> None:
    full, scarce, none = (VariantFactory.create(stock=left) for left in (10, 2, 0))
    for variant in (full, scarce, none):
        variant.product.status = "published"
    placed_order({full.pk: 3})

    figures = shop.stock()

    told = {
        left: value(figures, "stock_variants", availability=left)
        for left in ("in_stock", "low_stock", "out_of_stock")
    }
    assert told == {"in_stock": 1, "low_stock": 1, "out_of_stock": 1}
    assert value(figures, "stock_on_hand_units") == 12
    assert value(figures, "stock_reserved_units") == 3


def test_a_broken_rule_is_counted_and_one_that_holds_has_none() -> None:
    order, _ = placed_order()
    order.__class__.objects.filter(pk=order.pk).update(items_minor=1, grand_total_minor=501)

    figures = shop.invariants()

    assert value(figures, "invariant_violations", rule="order total = its lines") == 1
    assert value(figures, "invariant_violations", rule="paid = captured") == 0


def test_a_reading_asks_as_many_questions_however_many_orders_there_are(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    for _ in range(3):
        placed_order()
    trade = Trade()
    trade.read()

    with django_assert_num_queries(5):
        trade.read()
    with django_assert_num_queries(20):
        shop.work()


def test_the_servers_tell_of_themselves() -> None:
    database, redis = servers.database(), servers.redis()

    assert (value(database, "database_connections", state="active") or 0) >= 1
    assert (value(database, "database_connections_max") or 0) > 1
    assert (value(database, "database_size_bytes") or 0) > 1_000_000
    assert value(redis, "redis_up", server="cache") == 1
    assert value(redis, "redis_up", server="broker") == 1


def test_a_redis_that_is_away_is_told_and_costs_no_other_figure(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    figures = servers.redis()

    assert value(figures, "redis_up", server="cache") == 0
    assert value(figures, "redis_up", server="broker") == 1
