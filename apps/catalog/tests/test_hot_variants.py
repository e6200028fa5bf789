"""A hot variant: sold from a pool of units, as exactly as any other."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F

from apps.catalog import interface as catalog
from apps.catalog.models import Reservation, Stock, StockMovement, StockUnit
from apps.catalog.services.stock import (
    adjust,
    count,
    expire_reservations,
    fill_pools,
    pools,
    set_hot,
)
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.catalog.tests.test_stock_goods import bands
from apps.kernel.ids import new_id

pytestmark = pytest.mark.django_db
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def hot(**fields):
    variant = VariantFactory(**fields)
    assert set_hot(variant_id=variant.pk, is_hot=True)
    return variant


def offer(variant):
    return catalog.offers(variant_ids=[variant.pk])[variant.pk]


def test_the_pool_leaves_more_than_few_pieces_in_the_balance(settings):
    variant = hot(stock=20)

    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved, StockUnit.objects.count()) == (20, 14, 14)
    assert stock.on_hand - stock.reserved == settings.LOW_STOCK_THRESHOLD + 1
    assert offer(variant).available == 20
    assert StockMovement.objects.count() == 1
    assert catalog.stock_differences() == []


def test_the_pool_has_its_size(monkeypatch):
    monkeypatch.setattr(pools, "POOL", 7)
    variant = hot(stock=50)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})
    assert StockUnit.objects.count() == 4

    assert fill_pools() == 1

    assert StockUnit.objects.count() == 7
    assert offer(variant).available == 47
    assert catalog.stock_differences() == []


def test_a_unit_is_taken_without_touching_the_balance():
    variant, order = hot(stock=20), new_id()
    before = Stock.objects.values().get()

    catalog.reserve(order_id=order, quantities={variant.pk: 3}, hold_for=timedelta(minutes=5))

    assert Stock.objects.values().get() == before
    assert StockUnit.objects.count() == 11
    held = Reservation.objects.get()
    assert (held.order_id, held.quantity, held.state) == (order, 3, "active")
    assert held.expires_at > held.created_at
    assert StockMovement.objects.get(kind="reserve").reserved_delta == 3
    assert offer(variant).available == 17
    assert catalog.stock_differences() == []


def test_an_order_that_has_its_hot_pieces_gets_no_others_beside_the_refusal():
    variant, other, order = hot(stock=20), VariantFactory(stock=5), new_id()
    catalog.reserve(order_id=order, quantities={variant.pk: 1})

    with pytest.raises(catalog.AlreadyReserved):
        catalog.reserve(order_id=order, quantities={variant.pk: 1, other.pk: 2})

    assert catalog.held_units(order_ids=[order]) == {order: 1}
    assert catalog.stock_differences() == []


def test_every_step_of_an_order_is_exact_in_a_hot_balance():
    variant = hot(stock=20)
    sent, given_back, over = new_id(), new_id(), new_id()
    catalog.reserve(order_id=sent, quantities={variant.pk: 3})
    catalog.reserve(order_id=given_back, quantities={variant.pk: 2})
    catalog.reserve(order_id=over, quantities={variant.pk: 1}, hold_for=timedelta(seconds=-1))
    with pytest.raises(catalog.AlreadyReserved):
        catalog.reserve(order_id=sent, quantities={variant.pk: 1})

    catalog.allocate(order_id=sent)
    catalog.release(order_id=given_back)
    expire_reservations()
    catalog.ship(order_id=sent)

    assert offer(variant).available == 17
    catalog.reserve(order_id=given_back, quantities={variant.pk: 17})
    assert offer(variant).availability == "out_of_stock"
    assert catalog.stock_differences() == []


def test_a_dry_pool_is_not_sold_out():
    variant = hot(stock=20, ahead=2)
    north = StockLocationFactory(code="north")
    catalog.receive(quantities={variant.pk: 4}, reason="x", location_id=north.pk)

    for quantity in (12, 8, 4, 2):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: quantity})

    with pytest.raises(catalog.OutOfStock):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: 1})
    assert bands() == ["preorder"] * 2 or bands()[-1] == "out_of_stock"
    assert StockUnit.objects.count() == 0
    assert offer(variant).available == 0
    assert catalog.stock_differences() == []


def test_hot_and_other_variants_are_taken_together_or_not_at_all():
    warm, cool = hot(stock=20), VariantFactory(sku="COOL", stock=2)

    catalog.reserve(order_id=new_id(), quantities={warm.pk: 2, cool.pk: 1})
    with pytest.raises(catalog.OutOfStock) as refusal:
        catalog.reserve(order_id=new_id(), quantities={warm.pk: 2, cool.pk: 2})

    assert refusal.value.facts == {"skus": ["COOL"]}
    assert (offer(warm).available, offer(cool).available) == (18, 1)
    assert StockUnit.objects.count() == 12
    assert catalog.stock_differences() == []


def test_bands_of_a_hot_variant_are_told_when_they_are_crossed():
    variant = hot(stock=20)

    for _ in range(20):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: 1})

    assert bands() == ["low_stock", "out_of_stock"]


def test_a_count_puts_the_pool_back():
    variant = hot(stock=20)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})

    count(counts={variant.pk: 4}, reason="count")

    stock = Stock.objects.get()
    assert (stock.on_hand, stock.reserved, StockUnit.objects.count()) == (4, 3, 0)
    assert bands() == ["low_stock"]
    assert catalog.stock_differences() == []


def test_a_variant_that_is_hot_no_more_has_no_pool():
    variant = hot(stock=20)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 3})

    assert set_hot(variant_id=variant.pk, is_hot=False)
    assert not set_hot(variant_id=variant.pk, is_hot=False)

    assert StockUnit.objects.count() == 0
    assert Stock.objects.get().reserved == 3
    assert fill_pools() == 0
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 17})
    assert offer(variant).available == 0
    assert catalog.stock_differences() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("gives_up", [True, False])
def test_the_last_units_that_somebody_is_taking_are_waited_for(gives_up):
    variant = hot(stock=7)  # one in the pool, six outside
    taken, done = threading.Event(), threading.Event()

    def slow_buyer():
        try:
            with transaction.atomic():
                catalog.reserve(order_id=new_id(), quantities={variant.pk: 1})
                taken.set()
                done.wait(timeout=10)
                if gives_up:
                    raise InterruptedError
        except InterruptedError:
            pass
        finally:
            connection.close()

    def let_go_when_somebody_waits():
        with connection.cursor() as cursor:
            while not done.is_set():
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                )
                if cursor.fetchone()[0]:
                    done.set()
        connection.close()

    others = [threading.Thread(target=slow_buyer)]
    others[0].start()
    taken.wait(timeout=10)
    others.append(threading.Thread(target=let_go_when_somebody_waits))
    others[1].start()
    try:
        if gives_up:
            catalog.reserve(order_id=new_id(), quantities={variant.pk: 7})
        else:
            with pytest.raises(catalog.OutOfStock):
                catalog.reserve(order_id=new_id(), quantities={variant.pk: 7})
    finally:
        done.set()
        for thread in others:
            thread.join()

    assert offer(variant).available == (0 if gives_up else 6)
    assert catalog.stock_differences() == []


class Session:
    """A transaction on a connection of its own, in steps."""

    def __enter__(self):
        self.connection = connection.copy()
        self.connection.set_autocommit(False)
        [self.pid] = self.run("SELECT pg_backend_pid()")
        return self

    def __exit__(self, *_):
        self.connection.close()

    def run(self, statement, *values):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchone() if cursor.description else None

    def commit(self):
        self.connection.commit()


def who_waits_for(pid):
    """Return who waits for the transaction of `pid` as soon as there is somebody."""
    over = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < over:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))", [pid]
            )
            if found := cursor.fetchone():
                return found[0]
    raise TimeoutError(f"Nobody waits for {pid}.")


BALANCE = "SELECT FROM catalog_stock WHERE variant_id = %s FOR NO KEY UPDATE"
RESERVATION = "SELECT FROM catalog_reservation WHERE order_id = %s FOR UPDATE"
CHANGES = {
    "release": lambda order, lines: catalog.release(order_id=order),
    "allocate": lambda order, lines: catalog.allocate(order_id=order),
    "ship": lambda order, lines: catalog.ship(order_id=order),
    "return": lambda order, lines: catalog.return_to_stock(
        order_id=order, quantities=lines, reason="test"
    ),
    "receive": lambda order, lines: catalog.receive(quantities=lines, reason="test"),
    "adjust": lambda order, lines: adjust(deltas=lines, reason="test"),
    "count": lambda order, lines: count(counts=dict.fromkeys(lines, 40), reason="test"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", CHANGES)
def test_nobody_who_holds_a_hot_balance_waits_for_its_former_version(change):
    """Buyers of units keep the version before alive: whoever asks for that one queues up again.

    The change sees the version before, locks the present one, and another one waits for it who is
    first in the queue of the version before.
    """
    StockLocationFactory()
    before, wanted, after = VariantFactory(stock=50), hot(stock=50), VariantFactory(stock=50)
    lines = {before.pk: 1, wanted.pk: 1, after.pk: 1}
    ours, theirs = new_id(), new_id()
    catalog.reserve(order_id=ours, quantities=lines)
    catalog.reserve(order_id=theirs, quantities={wanted.pk: 1})
    if change == "return":
        catalog.ship(order_id=ours)

    def run(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads, Session() as buyer:
        buyer.run("SELECT FROM catalog_stock WHERE variant_id = %s FOR KEY SHARE", wanted.pk)
        with Session() as gate_before, Session() as gate_after, Session() as gate_of_theirs:
            gate_before.run(BALANCE, before.pk)
            gate_after.run(BALANCE, after.pk)
            gate_of_theirs.run(RESERVATION, theirs)
            changing = threads.submit(run, lambda: CHANGES[change](ours, lines))
            who_waits_for(gate_before.pid)
            releasing = threads.submit(run, lambda: catalog.release(order_id=theirs))
            who_waits_for(gate_of_theirs.pid)
            Stock.objects.filter(variant=wanted).update(reserved=F("reserved"))
            gate_before.commit()
            holder = who_waits_for(gate_after.pid)
            gate_of_theirs.commit()
            who_waits_for(holder)
        changing.result(timeout=20)
        releasing.result(timeout=20)

    assert catalog.stock_differences() == []
