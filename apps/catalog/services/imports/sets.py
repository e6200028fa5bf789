"""Many rows of a table in one statement, handed over as one JSON document."""

# ruff: noqa: S608 - tables and columns are those of the models

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import connection
from django.db.models import NOT_PROVIDED, AutoField, Field, Model

Row = Mapping[str, Any]


def insert_rows(model: type[Model], rows: Sequence[Row]) -> None:
    """Insert rows, given by column; what they lack gets its default, as in `Model(...)`."""
    if not rows:
        return
    given = rows[0].keys()
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.column in given or not _is_the_databases(field)
    ]
    lacking = {f.column: f.get_default() for f in fields if f.column not in given}
    columns = ", ".join(_quoted(field) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(model)} ({columns}) SELECT {columns} FROM {_set(fields)}",
            [orjson.dumps([{**lacking, **row} for row in rows]).decode()],
        )


def update_rows(model: type[Model], rows: Sequence[Row], *, guard: str = "") -> int:
    """Write rows, found by `id`, given by column. Returns how many there were.

    With a guard, a column that counts versions, only rows with the version before are written.
    """
    if not rows:
        return 0
    fields = [field for field in model._meta.concrete_fields if field.column in rows[0]]
    sets = ", ".join(f"{_quoted(f)} = r.{_quoted(f)}" for f in fields if f.column != "id")
    guarded = f" AND t.{guard} = r.{guard} - 1" if guard else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_table(model)} t SET {sets} FROM {_set(fields)} WHERE t.id = r.id{guarded}",
            [orjson.dumps(list(rows)).decode()],
        )
        return int(cursor.rowcount)


def _is_the_databases(field: "Field[Any, Any]") -> bool:
    """Whether the database itself fills a column that is not given."""
    return field.db_default is not NOT_PROVIDED or field.generated or isinstance(field, AutoField)


def _set(fields: Sequence["Field[Any, Any]"]) -> str:
    typed = ", ".join(f"{_quoted(field)} {field.db_type(connection)}" for field in fields)
    return f"json_to_recordset(%s::json) AS r({typed})"


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _quoted(field: "Field[Any, Any]") -> str:
    return connection.ops.quote_name(str(field.column))
