"""Everything the sandbox remembers: one SQLite file, committed before any answer leaves."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from ecommerce.local.payment_sandbox.changes import Change, Document
from ecommerce.local.payment_sandbox.faults import Faults, Plan
from ecommerce.local.payment_sandbox.fees import keep_fees
from ecommerce.local.payment_sandbox.intents import identifier

KEY_LIFETIME = 24 * 60 * 60
API_VERSION = "2026-10-28.endive"
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

_SCHEMA = """
create table if not exists objects (
    seq integer primary key autoincrement, id text not null unique, kind text not null,
    label text not null, parent text, created integer not null, body blob not null);
create index if not exists objects_in_order on objects (kind, seq);
create index if not exists objects_of_parent on objects (parent, kind);
create table if not exists deliveries (
    id integer primary key autoincrement, event text not null, due_at real not null,
    tries integer not null default 0);
create index if not exists deliveries_by_time on deliveries (due_at);
create table if not exists answers (
    key text primary key, fingerprint text not null, status integer not null, body blob not null,
    request_id text not null, created integer not null);
create table if not exists settings (name text primary key, value blob not null);
"""


class UnusableState(Exception):
    """The state file cannot be opened, is something else, or another sandbox holds it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered under an idempotency key, and to which request."""

    fingerprint: str
    status: int
    body: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One copy of one event on its way to the store."""

    id: int
    event: str
    tries: int
    body: bytes


class Store:
    """The rows. Used from one thread; a transaction is never open across an await."""

    def __init__(self, path: Path, *, delivers: bool) -> None:
        self._delivers = delivers
        try:
            self._rows = sqlite3.connect(path, isolation_level=None, timeout=0)
            # Held until the process ends, so that two sandboxes never share one state.
            self._rows.execute("pragma locking_mode = exclusive")
            self._rows.execute("pragma journal_mode = wal")
            # Survives the death of the process; a power cut may cost the last moments.
            self._rows.execute("pragma synchronous = normal")
            self._rows.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise UnusableState(f"{path} cannot be used: {error}.") from None
        saved = self._rows.execute("select value from settings where name = 'faults'").fetchone()
        self.faults = Faults(Plan(**orjson.loads(saved[0])) if saved else Plan())

    def close(self) -> None:
        """Release the file."""
        self._rows.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside visible together, or not at all."""
        self._rows.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._rows.execute("rollback")
            raise
        self._rows.execute("commit")

    def apply(self, change: Change, *, request_id: str, key: str | None, now: float) -> bool:
        """Store the documents and the events of a change; tell whether webhooks are now due."""
        keep_fees(change, now=now, delay_ms=self.faults.plan.fee_delay_ms)
        for document in change.documents.values():
            self._save(document)
        for name, snapshot in change.events:
            event = {
                "id": identifier("evt"),
                "object": "event",
                "api_version": API_VERSION,
                "created": int(now),
                "data": {"object": orjson.Fragment(snapshot)},
                "livemode": False,
                "pending_webhooks": int(self._delivers),
                "request": {"id": request_id, "idempotency_key": key},
                "type": name,
            }
            self._save(event)
            for delay in self.faults.next_event() if self._delivers else ():
                self._rows.execute(
                    "insert into deliveries (event, due_at) values (?, ?)",
                    (event["id"], now + delay),
                )
        return bool(change.events) and self._delivers

    def _save(self, document: Document) -> None:
        self._rows.execute(
            "insert into objects (id, kind, label, parent, created, body) values (?, ?, ?, ?, ?, ?)"
            " on conflict (id) do update set label = excluded.label, body = excluded.body",
            (
                document["id"],
                document["object"],
                document.get("type") or document.get("status", ""),
                document.get("payment_intent"),
                document["created"],
                orjson.dumps(document),
            ),
        )

    def find(self, kind: str, identifier: str) -> Document | None:
        """Return one document."""
        row = self._rows.execute(
            "select body from objects where id = ? and kind = ?", (identifier, kind)
        ).fetchone()
        return orjson.loads(row[0]) if row else None

    def page(
        self,
        kind: str,
        *,
        limit: int,
        after: str | None = None,
        label: str | None = None,
        parent: str | None = None,
        created: dict[str, int] | None = None,
    ) -> tuple[list[Document], bool]:
        """Return the newest documents first, and whether there are more.

        `after` is the id of the last one seen; `label` may end in `*`.
        """
        clauses = ["kind = ?"]
        values: list[str | int] = [kind]
        if after:
            clauses.append("seq < (select seq from objects where id = ? and kind = ?)")
            values += [after, kind]
        if label:
            clauses.append("label glob ?")
            values.append(label)
        if parent:
            clauses.append("parent = ?")
            values.append(parent)
        for comparison, moment in (created or {}).items():
            clauses.append(f"created {_COMPARISONS[comparison]} ?")
            values.append(moment)
        where = " and ".join(clauses)
        rows = self._rows.execute(
            f"select body from objects where {where} order by seq desc limit ?",  # noqa: S608 - clauses are literals
            (*values, limit + 1),
        ).fetchall()
        return [orjson.loads(row[0]) for row in rows[:limit]], len(rows) > limit

    def charges(self, *, since: int) -> Iterator[tuple[Document, Document]]:
        """Return every charge with its payment, oldest first."""
        for charge, intent in self._rows.execute(
            "select charges.body, intents.body from objects charges"
            " join objects intents on intents.id = charges.parent"
            " where charges.kind = 'charge' and charges.created >= ? order by charges.seq",
            (since,),
        ):
            yield orjson.loads(charge), orjson.loads(intent)

    def saved_answer(self, key: str, *, now: float) -> Answer | None:
        """Return what was answered under the key in the last 24 hours."""
        row = self._rows.execute(
            "select fingerprint, status, body, request_id from answers"
            " where key = ? and created > ?",
            (key, int(now) - KEY_LIFETIME),
        ).fetchone()
        return Answer(*row) if row else None

    def save_answer(self, key: str, answer: Answer, *, now: float) -> None:
        """Remember the answer."""
        self._rows.execute(
            "insert or replace into answers values (?, ?, ?, ?, ?, ?)",
            (key, answer.fingerprint, answer.status, answer.body, answer.request_id, int(now)),
        )

    def forget_old_answers(self, *, now: float) -> None:
        """Forget the keys past their time."""
        self._rows.execute("delete from answers where created <= ?", (int(now) - KEY_LIFETIME,))

    def due(self, *, now: float, limit: int, besides: Iterable[int]) -> list[Delivery]:
        """Return the deliveries whose time has come, longest due first."""
        rows = self._rows.execute(
            "select deliveries.id, event, tries, body from deliveries"
            " join objects on objects.id = event"
            " where due_at <= ? and deliveries.id not in (select value from json_each(?))"
            " order by due_at, deliveries.id limit ?",
            (now, orjson.dumps(list(besides)).decode(), limit),
        )
        return [Delivery(*row) for row in rows]

    def next_due_at(self, *, besides: Iterable[int]) -> float | None:
        """Return when the next delivery is due."""
        row = self._rows.execute(
            "select min(due_at) from deliveries where id not in (select value from json_each(?))",
            (orjson.dumps(list(besides)).decode(),),
        ).fetchone()
        moment: float | None = row[0]
        return moment

    def pending_deliveries(self) -> int:
        """Return how many deliveries are not done."""
        count: int = self._rows.execute("select count(*) from deliveries").fetchone()[0]
        return count

    def delivered(self, delivery_id: int) -> None:
        """Strike out a delivery."""
        self._rows.execute("delete from deliveries where id = ?", (delivery_id,))

    def postpone(self, delivery_id: int, *, due_at: float) -> None:
        """Try a delivery again later."""
        self._rows.execute(
            "update deliveries set tries = tries + 1, due_at = ? where id = ?",
            (due_at, delivery_id),
        )

    def set_faults(self, plan: Plan) -> None:
        """Start over with another fault plan; it survives a restart."""
        self._rows.execute(
            "insert or replace into settings values ('faults', ?)", (orjson.dumps(plan.as_dict()),)
        )
        self.faults = Faults(plan)

    def reset(self) -> None:
        """Forget everything, faults included."""
        with self.transaction():
            self._rows.execute("delete from objects")
            self._rows.execute("delete from deliveries")
            self._rows.execute("delete from answers")
            self._rows.execute("delete from settings")
        self.faults = Faults(Plan())
