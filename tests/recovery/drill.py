"""Selling, losing the database, restoring it: the steps of a drill, and what they cost."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import httpx
import psycopg
from running_store import RunningStore, eventually
from shopper import Shopper, Staff, connections

BUYERS = 4
PAUSE = 0.3  # so that the payments of a slow machine keep up, and it agrees soon afterwards
SIZE = 2**30
ROWS = 1_000_000
LONGEST_LOSS = 60
LONGEST_OUTAGE = 300
PATIENCE = 240


class Journal:
    """What shoppers were told: the moment and the id of every order, on the disk before more."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        self._lock = threading.Lock()
        self.told: dict[str, float] = {}

    def write(self, order_id: str) -> None:
        with self._lock:
            self.told[order_id] = time.time()
            self._file.write(f"{self.told[order_id]} {order_id}\n")
            self._file.flush()
            os.fsync(self._file.fileno())


def seconds_lost(told: Mapping[str, float], kept: Set[str], *, lost_at: float) -> float:
    """Return how long before the loss the oldest order was acknowledged that is missing now."""
    return max((lost_at - at for order_id, at in told.items() if order_id not in kept), default=0)


class Drill:
    """One store that sells, loses its database and gets it back."""

    def __init__(self, store: RunningStore, journal: Path, say: Callable[[str], None]) -> None:
        self.store = store
        self.say = say
        self.journal = Journal(journal)
        with connections(store.url) as http:
            staff = Staff(http, email="admin@example.com", password=store.admin_password())
            product = staff.add_product(on_hand=100_000)
        self.variant = product["variants"][0]["id"]

    # The database

    def fill(self) -> None:
        """Make the database as large as the promise is about, with rows of a kilobyte."""
        self.run("CREATE TABLE drill_filler (id bigint PRIMARY KEY, text text)")
        self.run(
            "INSERT INTO drill_filler SELECT number, repeat(md5(number::text), 32)"
            " FROM generate_series(1, %s) AS number",
            ROWS,
        )
        size = int(str(self.ask("SELECT pg_database_size(current_database())")))
        assert size >= SIZE
        self.say(f"the database has {size / 2**30:.2f} GiB, {ROWS:,} rows of it to fill it")

    def wait_for_backup(self) -> None:
        """Wait until there is a full backup of the present life of the database."""
        system, timeline = self.ask_both(
            "SELECT system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8)"
            " FROM pg_control_system()"
        )
        life = self.store.state / "backups" / f"{system}-{int(timeline, 16)}"
        eventually(lambda: [*life.glob("base/*.json")], bool, patience=PATIENCE)

    def run(self, statement: str, *values: object) -> None:
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute(statement, values or None)

    def ask(self, question: str) -> object:
        return self.ask_both(question)[0]

    def ask_both(self, question: str) -> tuple:
        with psycopg.connect(self._database) as connection:
            return connection.execute(question).fetchone()

    @property
    def _database(self) -> str:
        return self.store.variables()["DATABASE_URL"]

    @property
    def data(self) -> Path:
        return (self.store.state / "postgres").resolve()

    # Selling

    @contextmanager
    def selling(self) -> Iterator[None]:
        """Sell as fast as shoppers can, until the block ends or the store does."""
        over = threading.Event()

        def shop(http: httpx.Client) -> None:
            with suppress(httpx.HTTPError, AssertionError):  # the store is gone
                while not over.is_set():
                    self.journal.write(Shopper(http).buy({self.variant: 1})["id"])
                    time.sleep(PAUSE)

        with connections(self.store.url) as http:
            buyers = [threading.Thread(target=shop, args=[http]) for _ in range(BUYERS)]
            for buyer in buyers:
                buyer.start()
            try:
                yield
            finally:
                over.set()
                for buyer in buyers:
                    buyer.join()

    def wait_for_orders(self, count: int) -> None:
        wanted = len(self.journal.told) + count
        eventually(lambda: len(self.journal.told), lambda told: told >= wanted, patience=PATIENCE)

    # Losing and restoring

    def lose(self) -> float:
        """kill -9 the server and delete its data. Returns when that was."""
        os.kill(self.store.main_process("postgres", "-D"), signal.SIGKILL)
        lost_at = time.time()
        shutil.rmtree(self.data)
        return lost_at

    def restore(self, *, to: datetime | None = None) -> None:
        """Do what the runbook says, and nothing else."""
        began = time.monotonic()
        assert self.store.supervisor is not None
        self.store.supervisor.wait(PATIENCE)
        self.say(f"the rest of the store had stopped after {time.monotonic() - began:.1f} s")
        done = self.store.recover("restore", *(["--to", to.isoformat()] if to else []))
        assert done.returncode == 0, done.stderr
        self.say("restored in " + done.stdout.strip().splitlines()[-1].partition(" in ")[2])
        done = self.store.manage("after_restore", "--apply")
        assert done.returncode == 0, done.stdout + done.stderr
        self.say(done.stdout.strip().splitlines()[-1])
        self.store.start()
        self.say(f"the store answered again {time.monotonic() - began:.1f} s after the beginning")

    def require_agreement(self) -> None:
        """Wait until the store agrees with itself and with the provider."""

        def findings() -> str:
            done = self.store.manage("check_invariants")
            return done.stderr if done.returncode else ""

        eventually(findings, lambda text: not text, patience=PATIENCE)

    def kept(self) -> set[str]:
        """Return the orders that the database knows."""
        with psycopg.connect(self._database) as connection:
            return {str(row[0]) for row in connection.execute("SELECT id FROM orders_order")}

    def require_money_back(self) -> int:
        """Require that no money of a forgotten order is kept. Returns how many there were."""
        kept = self.kept()
        forgotten = [
            charge for charge in self.store.ledger() if charge["metadata"]["order_id"] not in kept
        ]
        for charge in forgotten:
            assert charge["amount_captured"] == charge["amount_refunded"], charge
            returned = charge["amount_captured"] or charge["payment_intent_status"] == "canceled"
            assert returned, charge
        return len(forgotten)

    def strays(self) -> int:
        """Return how many payments are still on their way back."""
        open_ones = self.ask("SELECT count(*) FROM orders_straypayment WHERE status = 'open'")
        return int(str(open_ones))
