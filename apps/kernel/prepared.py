"""Reads that the database plans once for each connection."""

from contextlib import AbstractContextManager
from typing import Any, cast

from django.db import connection


def prepared() -> AbstractContextManager[None]:
    """Let the database keep the plans of the statements in this block, if it is in no transaction.

    For what is read with every other request, when planning it costs as much as reading. The texts
    of the statements have to be few, and their parameters have to have types that PostgreSQL can
    tell without seeing the values (`%s::uuid IS NULL`, not `%s IS NULL`).
    """
    return cast("Any", connection).prepared()  # type: ignore[no-any-return]
