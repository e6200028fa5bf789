"""The database is lost under load and comes back: how much is missing, and how long it takes."""

import threading
import time

from drill import LONGEST_LOSS, LONGEST_OUTAGE, Drill, seconds_lost
from running_store import eventually


def test_the_measure_counts_from_the_oldest_missing_order():
    told = {"kept": 10.0, "lost": 20.0, "also lost": 95.0}

    assert seconds_lost(told, {"kept"}, lost_at=100.0) == 80.0
    assert seconds_lost(told, set(told), lost_at=100.0) == 0


def test_a_database_lost_under_load_comes_back(drill: Drill):
    with drill.selling():
        drill.wait_for_orders(100)
        churn = threading.Thread(
            target=drill.run,
            args=["UPDATE drill_filler SET text = reverse(text) WHERE id % 5 = 0"],
        )
        churn.start()
        drill.wait_for_orders(100)
        churn.join()
        drill.wait_for_orders(20)
        lost_at = drill.lose()

    drill.restore()
    drill.require_agreement()

    outage = time.time() - lost_at
    told, kept = drill.journal.told, drill.kept()
    loss = seconds_lost(told, kept, lost_at=lost_at)
    eventually(drill.strays, lambda left: left == 0, patience=60)
    returned = drill.require_money_back()
    drill.require_agreement()
    drill.say(
        f"lost under load: {len(told)} orders acknowledged, {len(told.keys() - kept)} missing "
        f"(RPO {loss:.1f} s), selling and in agreement after {outage:.1f} s (RTO), "
        f"{returned} payments of forgotten orders went back"
    )
    assert loss <= LONGEST_LOSS
    assert outage <= LONGEST_OUTAGE


def test_a_restore_to_the_moment_before_a_mistake_undoes_it(drill: Drill):
    """Also what was sold since is undone: that money goes back by itself."""
    drill.wait_for_backup()
    with drill.selling():
        drill.wait_for_orders(50)
        moment = drill.ask("SELECT clock_timestamp()")
        before = set(drill.journal.told)
        drill.run("TRUNCATE orders_orderline")
        drill.wait_for_orders(50)
    assert drill.store.manage("check_invariants").returncode == 1
    sold_since = drill.journal.told.keys() - before
    drill.store.stop()
    began = time.time()
    drill.data.rename(drill.data.with_name("postgres.mistaken"))

    drill.restore(to=moment)

    drill.require_agreement()
    outage = time.time() - began
    kept = drill.kept()
    assert before <= kept
    forgotten = sold_since - kept
    assert len(forgotten) >= 45  # those of the very moment may have been committed before it
    eventually(drill.strays, lambda left: left == 0, patience=60)
    returned = drill.require_money_back()
    drill.require_agreement()
    drill.say(
        f"restored to {moment.isoformat(timespec='milliseconds')}: all {len(before)} orders before "
        f"it are there, {len(forgotten)} after it are not, {returned} payments of forgotten "
        f"orders went back, selling and in agreement after {outage:.1f} s"
    )
