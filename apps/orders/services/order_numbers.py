"""Giving orders their numbers: one after the other in each year, without a gap."""

from django.db import connection

from apps.orders.models import Order
from apps.orders.models.order_number import YEAR


def give_number(order: Order) -> None:
    """Give a new order the next number of its year, by the database's clock in UTC.

    Two orders cannot take the same number, and a transaction that fails gives its number back: so
    whoever comes next waits until this transaction has ended. Call it last.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
                INSERT INTO orders_ordernumbers AS numbers (year, last)
                VALUES (extract(year FROM now() AT TIME ZONE 'UTC')::int, 1)
                ON CONFLICT (year) DO UPDATE SET last = numbers.last + 1
                RETURNING year, last
            )
            UPDATE orders_order SET number = taken.year * %s::bigint + taken.last
            FROM taken WHERE id = %s
            RETURNING number
            """,
            [YEAR, order.pk],
        )
        [order.number] = cursor.fetchone()


def skip_order_numbers(count: int) -> None:
    """Leave so many numbers of this year out, and note which.

    Orders that a restore has lost had them, and shoppers know them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orders_ordernumbers AS numbers (year, last, skipped)
            VALUES (
                extract(year FROM now() AT TIME ZONE 'UTC')::int, %(count)s,
                jsonb_build_array(jsonb_build_object('from', 1, 'to', %(count)s, 'at', now()))
            )
            ON CONFLICT (year) DO UPDATE SET
                last = numbers.last + %(count)s,
                skipped = numbers.skipped || jsonb_build_object(
                    'from', numbers.last + 1, 'to', numbers.last + %(count)s, 'at', now()
                )
            """,
            {"count": count},
        )
