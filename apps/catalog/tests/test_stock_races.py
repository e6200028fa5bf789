"""Many buyers at once, for the balance and for the pool of a hot variant: exact in every order.

`STOCK_RACE_SEEDS` says with how many seeds; `make stock-races` takes a hundred.
"""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction

from apps.catalog import interface as catalog
from apps.catalog.models import Reservation, Stock, StockMovement
from apps.catalog.services.stock import count, expire_reservations, fill_pools, set_hot
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = int(os.environ.get("STOCK_RACE_SEEDS", "2"))
BUYERS = 32


class ChangedMind(Exception):
    """The buyer's transaction ends without a commit."""


def variants_of(number, stock, hot):
    variants = [VariantFactory(stock=stock).pk for _ in range(number)]
    for place, pk in enumerate(variants):
        set_hot(variant_id=pk, is_hot=hot(place))
    return variants


def left(variant_id):
    return catalog.offers(variant_ids=[variant_id])[variant_id].available


def buy(lines, *, gives_up: bool = False):
    """Return the id of the order that has the lines, None when they were not to be had."""
    order = new_id()
    try:
        with transaction.atomic():
            catalog.reserve(order_id=order, quantities=lines, hold_for=timedelta(minutes=15))
            if gives_up:
                raise ChangedMind
    except (catalog.OutOfStock, ChangedMind):
        return None
    return order


@contextmanager
def sweepers(*works: Callable[[], object]) -> Iterator[None]:
    """Do the store's background work all the time."""
    over = threading.Event()

    def sweep(work: Callable[[], object]) -> None:
        try:
            while not over.wait(timeout=0.01):
                work()
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def assert_the_ledger_explains_everything() -> None:
    assert catalog.stock_differences() == []
    assert not Stock.objects.filter(on_hand__lt=0).exists()


@pytest.mark.parametrize("is_hot", [False, True], ids=["balance", "pool"])
def test_32_buyers_get_exactly_200_pieces(is_hot):
    # The one that all want, and two that there are plenty of.
    worlds = []
    for seed in range(SEEDS):
        wanted, *plenty = variants_of(3, 200, hot=lambda place: is_hot and place == 0)
        catalog.receive(quantities=dict.fromkeys(plenty, 9_999), reason="plenty")
        worlds.append((seed, wanted, plenty))
    gate = threading.Barrier(BUYERS)

    def shop(buyer: int) -> list[int]:
        sold = []
        for seed, wanted, plenty in worlds:
            chance = random.Random(f"{seed} {buyer}")
            bought, misses = 0, 0
            gate.wait(timeout=60)
            while misses < 3:
                pieces = 1 if misses else chance.randint(1, 3)
                lines = [(wanted, 1)] * pieces if chance.random() < 0.3 else [(wanted, pieces)]
                if chance.random() < 0.3:
                    lines.insert(chance.randint(0, 1), (chance.choice(plenty), 2))
                gives_up = chance.random() < 0.1
                if buy(lines, gives_up=gives_up):
                    bought += pieces
                elif not gives_up:
                    misses += 1
            sold.append(bought)
        return sold

    with sweepers(fill_pools):
        sold = at_once(*[lambda buyer=buyer: shop(buyer) for buyer in range(BUYERS)])

    for (_, wanted, _), bought in zip(worlds, zip(*sold, strict=True), strict=True):
        # A piece that somebody gave back at the very end is not stranded: it can be had.
        rest = left(wanted)
        assert sum(bought) + rest == 200
        assert not rest or buy({wanted: rest})
        assert left(wanted) == 0
        reserved = Reservation.objects.filter(stock__variant=wanted, state="active")
        assert sum(reserved.values_list("quantity", flat=True)) == 200
        told = OutboxEvent.objects.filter(aggregate_id=wanted).order_by("seq")
        # Stepping back and forth at the border is told, too, but never twice the same.
        bands = [event.payload["band"] for event in told]
        assert all(a != b for a, b in zip(["in_stock", *bands], bands, strict=False))
        assert bands[-1] == "out_of_stock"
    assert_the_ledger_explains_everything()


@pytest.mark.parametrize("hot", [0, 4, 10], ids=["balances", "both", "pools"])
def test_32_writers_of_3_lines_of_10_skus_meet_no_deadlock(hot):
    variants = variants_of(10, 400, hot=lambda place: place < hot)

    def work(seed: int) -> int:
        chance, gone = random.Random(seed), 0
        for _ in range(10):
            lines = [(pk, chance.randint(1, 4)) for pk in chance.sample(variants, 3)]
            lines += lines[:1] if chance.random() < 0.2 else []
            order = buy(lines, gives_up=chance.random() < 0.1)
            if order is None:
                continue
            fate = chance.random()
            if fate < 0.3:
                catalog.release(order_id=order)
            elif fate < 0.5:
                Reservation.objects.filter(order_id=order).update(expires_at=OVER)
            elif fate < 0.8:
                catalog.allocate(order_id=order)
                catalog.ship(order_id=order)
                sent = sum(quantity for _, quantity in lines)
                back = lines[1]
                if fate < 0.6:
                    catalog.return_to_stock(order_id=order, quantities=[back], reason="test")
                    sent -= back[1]
                gone += sent
            elif fate < 0.85:
                catalog.receive(quantities=[lines[2]], reason="test")
                gone -= lines[2][1]
        return gone

    with sweepers(fill_pools, expire_reservations):
        gone = at_once(*[lambda seed=seed: work(seed) for seed in range(BUYERS)])
    while expire_reservations():
        pass

    assert sum(Stock.objects.values_list("on_hand", flat=True)) == 4_000 - sum(gone)
    assert_the_ledger_explains_everything()


OVER = "2020-01-01T00:00Z"
BUYER = """
import os, sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from uuid import UUID
from django.db import transaction
from apps.catalog import interface as catalog
from apps.kernel.ids import new_id
variant = UUID(sys.argv[2])
while True:
    with transaction.atomic():
        catalog.reserve(order_id=new_id(), quantities={variant: 2})
        print("taken", flush=True)
        sys.stdin.readline()
"""


@pytest.mark.parametrize("is_hot", [False, True], ids=["balance", "pool"])
def test_a_buyer_who_is_killed_in_the_middle_holds_nothing(is_hot):
    [variant] = variants_of(1, 50, hot=lambda _: is_hot)
    name = str(connection.settings_dict["NAME"])
    buyer = subprocess.Popen(
        [sys.executable, "-c", BUYER, name, str(variant)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
        text=True,
    )
    try:
        assert buyer.stdout.readline() == "taken\n"
        buyer.stdin.write("go on\n")
        buyer.stdin.flush()
        assert buyer.stdout.readline() == "taken\n"
    finally:
        buyer.kill()
        buyer.communicate()

    # The first of the two is committed, the second one died with its process.
    count(counts={variant: 50}, reason="waits until the server has noticed")
    assert left(variant) == 48
    assert buy({variant: 48})
    assert StockMovement.objects.filter(kind="reserve").count() == 2
    assert_the_ledger_explains_everything()
