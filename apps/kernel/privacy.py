"""Personal data: what each column holds, which rows are a person's, and what erasing does to them.

Every app lists its tables in `personal_data.py`. The lists are not only documentation: exports and
erasures are made from them, so what is not listed right shows in a test.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

import pgtrigger
from django.db.models import BinaryField, CharField, JSONField, Model, Q, TextField


class Kind(StrEnum):
    """What a column tells of a person."""

    NONE = "none"  # nothing: goods, settings, the store's own state
    REFERENCE = "reference"  # who is meant, but only together with another row
    IDENTITY = "identity"  # names
    CONTACT = "contact"  # how the person is reached
    CONTENT = "content"  # what the person chose, did or wrote
    TECHNICAL = "technical"  # when, from where and with what device
    FINANCIAL = "financial"  # what was paid
    SECRET = "secret"  # noqa: S105 - a kind: what proves the person, never told even to them


class Fate(StrEnum):
    """What becomes of a column when its person is erased."""

    NOBODYS = "nobody's"
    DELETED = "row deleted"
    EMPTIED = "emptied"
    KEPT = "kept"


BOOKKEEPING: Final = "bookkeeping, art. 6(1)(c) and 17(3)(b)"
EVIDENCE: Final = "proof of what was done, art. 6(1)(f) and 17(3)(e)"
NOBODY: Final = Q(pk__in=[])


@dataclass(frozen=True, slots=True)
class Traces:
    """By what other rows may name a person: ids of things that are theirs, and words."""

    things: frozenset[UUID] = frozenset()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data: an account, and addresses whose guest orders are the same person's."""

    user_id: UUID | None = None
    emails: frozenset[str] = frozenset()
    traces: Traces = field(default_factory=Traces)

    def with_traces(self, *more: Traces) -> Self:
        """Return the person with what else they are known by."""
        known = (self.traces, *more)
        traces = Traces(
            frozenset().union(*(each.things for each in known)),
            frozenset().union(*(each.words for each in known)),
        )
        return type(self)(self.user_id, self.emails, traces)

    def by_id(self, column: str) -> Q:
        """Return the condition that the column holds the account's id."""
        return Q(**{column: self.user_id}) if self.user_id else NOBODY

    def by_email(self, column: str) -> Q:
        """Return the condition that the column holds one of the addresses, in whatever case."""
        mine = NOBODY
        for email in sorted(self.emails):
            mine |= Q(**{f"{column}__iexact": email})
        return mine

    def by_word(self, column: str) -> Q:
        """Return the condition that the column is one of the words, in whatever case."""
        mine = NOBODY
        for word in sorted(self.traces.words):
            mine |= Q(**{f"{column}__iexact": word})
        return mine

    def named_in(self, column: str) -> Q:
        """Return the condition that the text or JSON of the column names the person."""
        mine = NOBODY
        for word in sorted(self.traces.words):
            mine |= Q(**{f"{column}__icontains": word})
        return mine


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: what its columns hold, which rows are a person's, what erasing does to those.

    `columns` lists field names by kind. Without `of` no row is anybody's. With `emptied` these
    columns get these values and the others are kept for the reason `kept`; without it the rows
    are deleted. `guard` is the trigger that else forbids it.
    """

    model: type[Model]
    columns: Mapping[Kind, str]
    of: Callable[[Person], Q] | None = None
    emptied: Mapping[str, object] | None = None
    kept: str = ""
    guard: str = ""

    def rows(self, person: Person) -> Any:
        """Return the person's rows."""
        mine = self.of(person) if self.of else NOBODY
        return self.model._default_manager.filter(mine)


@dataclass(frozen=True, slots=True)
class Column:
    """What the inventory says of one column."""

    model: str
    table: str
    name: str
    kind: Kind
    fate: Fate
    why: str
    free: bool  # whether it holds text or JSON, in which anything may stand


@dataclass(frozen=True, slots=True)
class Records:
    """A person's rows of one model, without what is withheld."""

    model: str
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file of a person's, such as a picture."""

    name: str
    content: bytes


def columns_of(tables: Iterable[Table]) -> tuple[Column, ...]:
    """Return what the tables' lists say, column by column."""
    return tuple(
        _column(table, name, kind)
        for table in tables
        for kind, names in table.columns.items()
        for name in names.split()
    )


def records_of(tables: Iterable[Table], *, person: Person) -> tuple[Records, ...]:
    """Return a person's rows of all tables that have any; secrets are withheld."""
    found = []
    for table in tables:
        names = [
            name
            for kind, names in table.columns.items()
            if kind is not Kind.SECRET
            for name in names.split()
        ]
        rows = table.rows(person).order_by("pk").values(*names)
        if rows:
            found.append(Records(table.model._meta.label, tuple(map(_plain, rows))))
    return tuple(found)


def erase_from(tables: Sequence[Table], *, person: Person) -> int:
    """Delete or empty a person's rows, table by table, in the caller's transaction.

    Doing it again changes nothing. Returns how many rows were touched.
    """
    touched = 0
    for table in tables:
        if table.of is None:
            continue
        rows = table.rows(person)
        if table.guard:
            with pgtrigger.ignore(f"{table.model._meta.label}:{table.guard}"):
                touched += _erase(rows, table)
        else:
            touched += _erase(rows, table)
    return touched


def _erase(rows: Any, table: Table) -> int:
    if table.emptied is None:
        return int(rows.delete()[0])
    return int(rows.update(**table.emptied)) if table.emptied else 0


def _column(table: Table, name: str, kind: Kind) -> Column:
    known = table.model._meta.get_field(name)
    match table:
        case Table(of=None):
            fate = Fate.NOBODYS
        case Table(emptied=None):
            fate = Fate.DELETED
        case Table(emptied=dict(emptied)) if name in emptied:
            fate = Fate.EMPTIED
        case _:
            fate = Fate.KEPT
    return Column(
        model=table.model._meta.label,
        table=table.model._meta.db_table,
        name=name,
        kind=kind,
        fate=fate,
        why=table.kept if fate is Fate.KEPT and kind is not Kind.NONE else "",
        free=isinstance(known, CharField | TextField | JSONField)
        and not isinstance(known, BinaryField),
    )


def _plain(row: Mapping[str, object]) -> Mapping[str, object]:
    return {
        name: bytes(value).hex() if isinstance(value, bytes | memoryview) else value
        for name, value in row.items()
    }
