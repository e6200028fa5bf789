"""What a schema demands of the code that uses it, read from PostgreSQL's catalog and compared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper

from apps.kernel.migration_gate.findings import Effect, Finding

# The tables and columns that a release's models know.
Known = Mapping[str, frozenset[str]]

COLUMNS = """
    SELECT c.oid, c.relname, a.attnum, a.attname, a.atttypid::regtype::text,
           a.attnotnull AND NOT (a.atthasdef OR a.attidentity <> ''), a.attnotnull
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
"""
# A unique rule is named by its index: a constraint made from an index demands nothing new.
RULES = """
    SELECT conrelid, coalesce(nullif(conindid, 0), oid), conname, conkey
    FROM pg_constraint WHERE contype IN ('c', 'u', 'x', 'p') AND conrelid <> 0
    UNION ALL
    SELECT conrelid, oid, conname, conkey FROM pg_constraint WHERE contype = 'f'
    UNION ALL
    SELECT i.indrelid, i.indexrelid, i.indexrelid::regclass::text, array_agg(d.refobjsubid)
    FROM pg_index i
    JOIN pg_depend d ON d.objid = i.indexrelid AND d.refobjid = i.indrelid AND d.refobjsubid > 0
    WHERE i.indisunique GROUP BY i.indrelid, i.indexrelid
"""
TRIGGERS = """
    SELECT t.tgrelid, t.tgname, pg_get_triggerdef(t.oid) || p.prosrc || t.tgenabled::text
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `owed`: an INSERT that does not name it fails."""

    name: str
    kind: str
    owed: bool
    required: bool


@dataclass(slots=True)
class Table:
    """One table; its columns by number and its rules by id, which outlive a new name."""

    name: str
    columns: dict[int, Column] = field(default_factory=dict)
    rules: dict[int, tuple[str, frozenset[int]]] = field(default_factory=dict)
    triggers: dict[str, str] = field(default_factory=dict)


Schema = dict[int, Table]


def read_schema(connection: BaseDatabaseWrapper) -> Schema:
    """Return the tables of the connection's database by their object id."""
    schema: Schema = {}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        for oid, table, number, name, kind, owed, required in cursor.fetchall():
            columns = schema.setdefault(oid, Table(table)).columns
            columns[number] = Column(name, kind, owed, required)
        cursor.execute(RULES)
        for oid, rule, name, numbers in cursor.fetchall():
            if oid in schema:
                schema[oid].rules.setdefault(rule, (name, frozenset(numbers)))
        cursor.execute(TRIGGERS)
        for oid, name, definition in cursor.fetchall():
            if oid in schema:
                schema[oid].triggers[name] = definition
    return schema


def demands(before: Schema, after: Schema, known: Known) -> Iterator[Finding]:
    """Yield what code that knows these tables and columns can no longer do, or may not any more."""
    for oid, old in before.items():
        if old.name not in known:
            continue
        new = after.get(oid)
        if new is None:
            yield _breaks(f"drops {old.name}", f"The table {old.name} is gone.")
        elif new.name != old.name:
            yield _breaks(f"renames {old.name}", f"{old.name} is called {new.name} now.")
        else:
            yield from _columns(old, new, known[old.name])
            yield from _rules(old, new, known[old.name])
            yield from _triggers(old, new)


def _columns(old: Table, new: Table, known: frozenset[str]) -> Iterator[Finding]:
    for number, was in old.columns.items():
        if was.name not in known:
            continue
        place, now = f"{old.name}.{was.name}", new.columns.get(number)
        if now is None:
            yield _breaks(f"drops {place}", f"The column {place} is gone.")
        elif now.name != was.name:
            yield _breaks(f"renames {place}", f"{place} is called {now.name} now.")
        elif now.kind != was.kind and (was.kind, now.kind) != ("character varying", "text"):
            yield _breaks(f"retypes {place}", f"{place} was {was.kind} and is {now.kind} now.")
        elif now.required and not was.required:
            yield _breaks(f"requires {place}", f"{place} refuses NULL, which was allowed.")
        elif now.owed and not was.owed:
            yield _breaks(f"requires {place}", f"{place} has lost the default that filled it in.")
    for number in new.columns.keys() - old.columns.keys():
        if new.columns[number].owed:
            place = f"{old.name}.{new.columns[number].name}"
            yield _breaks(
                f"requires {place}",
                f"{place} is NOT NULL without a default of the database: code that does not know "
                "it can insert no row.",
            )


def _rules(old: Table, new: Table, known: frozenset[str]) -> Iterator[Finding]:
    """A rule about nothing but columns that the code does not know cannot be broken by it."""
    for rule in new.rules.keys() - old.rules.keys():
        name, numbers = new.rules[rule]
        if {new.columns[number].name for number in numbers} & known:
            yield _breaks(
                f"tightens {old.name}", f"{name} refuses rows of {old.name} that were allowed."
            )


def _triggers(old: Table, new: Table) -> Iterator[Finding]:
    changed = {
        name for name, definition in new.triggers.items() if old.triggers.get(name) != definition
    }
    for name in sorted(changed):
        yield _breaks(
            f"triggers {old.name}", f"The trigger {name} of {old.name} is new or another one."
        )


def _breaks(code: str, detail: str) -> Finding:
    return Finding(Effect.BREAKS, code, detail)
