"""Statements that the database plans once for each connection, and what they return."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, TypeVar, cast

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def prepared(*, in_transactions: bool = False) -> AbstractContextManager[None]:
    """Let the database keep the plans of the statements in this block.

    For what is sent with every other request, when planning it costs as much as running it. The
    texts of the statements have to be few, and one plan has to be good whatever the parameters are:
    keys, not ranges. Their types have to be plain without the values (`%s::uuid IS NULL`).

    In a transaction plans are kept with `in_transactions` alone: for statements that say the type
    of every column of their result (`p.name::text`), as `typed` does, and those that return nothing
    or only what no migration makes larger: bigint, timestamptz.
    """
    return cast("Any", connection).prepared(  # type: ignore[no-any-return]
        in_transactions=in_transactions
    )


def typed(model: type[models.Model], table: str) -> str:
    """Return the model's columns for a SELECT or RETURNING, each with its type, without a length.

    What such a statement returns stays what it is when a migration makes a column larger. `read`
    makes instances of it.
    """
    return ", ".join(
        f"{table}.{column.column}::{type_of(column)} AS {column.column}"
        for column in model._meta.concrete_fields
    )


def read(model: type[M], row: Sequence[Any]) -> tuple[M, Sequence[Any]]:
    """Return the instance that `typed` columns at the beginning of a row are, and what follows."""
    names, conversions = _columns_of(model)
    values = list(row[: len(names)])
    for place, convert in conversions:
        values[place] = convert(values[place], None, connection)
    return model.from_db(connection.alias, names, values), row[len(names) :]


@cache
def _columns_of(model: type[models.Model]) -> tuple[list[str], list[tuple[int, Any]]]:
    columns = model._meta.concrete_fields
    return [column.attname for column in columns], [
        (place, column.from_db_value)
        for place, column in enumerate(columns)
        if hasattr(column, "from_db_value")
    ]


def type_of(column: "models.Field[Any, Any]") -> str:
    """Return the type of a column, without a length."""
    return "text" if isinstance(column, models.CharField) else str(column.cast_db_type(connection))
