"""Statements that the database plans once for each connection."""

from contextlib import AbstractContextManager
from typing import Any, cast

from django.db import connection, models


def prepared(*, in_transactions: bool = False) -> AbstractContextManager[None]:
    """Let the database keep the plans of the statements in this block.

    For what is sent with every other request, when planning it costs as much as running it. The
    texts of the statements have to be few, and one plan has to be good whatever the parameters are:
    keys, not ranges. Their types have to be plain without the values (`%s::uuid IS NULL`).

    In a transaction plans are kept with `in_transactions` alone: for statements that say the type
    of every column of their result (`p.name::text`), as `typed` does, or have none.
    """
    return cast("Any", connection).prepared(  # type: ignore[no-any-return]
        in_transactions=in_transactions
    )


def typed(model: type[models.Model], table: str) -> str:
    """Return the model's columns for a SELECT or RETURNING, each with its type, without a length.

    What such a statement returns stays what it is when a migration makes a column larger.
    """
    return ", ".join(
        f"{table}.{column.column}::{_type_of(column)} AS {column.column}"
        for column in model._meta.concrete_fields
    )


def _type_of(column: "models.Field[Any, Any]") -> str:
    return "text" if isinstance(column, models.CharField) else str(column.cast_db_type(connection))
