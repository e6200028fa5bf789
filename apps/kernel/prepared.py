"""Reads that the database plans once for each connection."""

from contextlib import AbstractContextManager
from typing import Any, cast

from django.db import connection


def prepared() -> AbstractContextManager[None]:
    """Let the database keep the plans of the statements in this block, if it is in no transaction.

    For what is read with every other request, when planning it costs as much as reading. The texts
    of the statements have to be few, and one plan has to be good whatever the parameters are: keys,
    not ranges. Their types have to be plain without the values (`%s::uuid IS NULL`).
    """
    return cast("Any", connection).prepared()  # type: ignore[no-any-return]
