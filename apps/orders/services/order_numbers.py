"""Giving orders their numbers."""

from django.db import connection

from apps.kernel.prepared import prepared
from apps.orders.models import Order, OrderNumbers
from apps.orders.models.order_number import YEAR
from apps.orders.services.numbers import taking


def give_number(order: Order) -> None:
    """Give a new order the next number of its year. One statement; call it last."""
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH taken AS ({taking(OrderNumbers)})
            UPDATE orders_order SET number = taken.year * %s::bigint + taken.last
            FROM taken WHERE id = %s
            RETURNING number::bigint
            """,  # noqa: S608 - the table's name comes from the model
            [YEAR, order.pk],
        )
        [order.number] = cursor.fetchone()
