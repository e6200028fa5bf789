"""Giving orders their numbers."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Field
from django.db.models.expressions import DatabaseDefault
from psycopg.types.numeric import Int8

from apps.kernel.prepared import prepared, type_of
from apps.orders.models import Order, OrderNumbers
from apps.orders.models.order_number import YEAR
from apps.orders.services.numbers import taking

BY_THE_DATABASE = frozenset({"number", "placed_at", "expires_at"})


def write_numbered(order: Order, *, pay_within: timedelta) -> None:
    """Write a new order with the next number of its year. One statement; call it last.

    What belongs to the order may be written before: nobody looks for the order until the commit.
    """
    columns = [
        column
        for column in Order._meta.concrete_fields
        if column.attname not in BY_THE_DATABASE
        and not isinstance(getattr(order, column.attname), DatabaseDefault)
    ]
    names = ", ".join(f"{column.column}" for column in columns)
    types = ", ".join(f"%s::{type_of(column)}" for column in columns)
    values: list[Any] = [pay_within, *(_saved(order, column) for column in columns)]
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH taken AS ({taking(OrderNumbers)})
            INSERT INTO orders_order (number, expires_at, {names})
            SELECT taken.year * {YEAR}::bigint + taken.last,
                statement_timestamp() + %s::interval, {types}
            FROM taken
            RETURNING number::bigint, placed_at::timestamptz, expires_at::timestamptz
            """,  # noqa: S608 - the names come from the models
            values,
        )
        order.number, order.placed_at, order.expires_at = cursor.fetchone()
    order._state.adding, order._state.db = False, connection.alias


def _saved(order: Order, column: "Field[Any, Any]") -> Any:
    value = column.get_db_prep_save(getattr(order, column.attname), connection)
    # As what it is kept as, not the smallest that holds it: else each size would have its own plan.
    return Int8(value) if isinstance(value, int) else value
