"""Giving out numbers of a year: one after the other, without a gap."""

from datetime import datetime

from django.db import connection

from apps.orders.models.order_number import YEAR, YearlyNumbers


def taking(numbers: type[YearlyNumbers]) -> str:
    """Return the SQL that takes the next number of this year, by the database's clock in UTC.

    Nobody else can take the same number, and a transaction that fails gives its number back: so
    whoever comes next waits until this transaction has ended. Take it last.
    """
    return f"""
        INSERT INTO {numbers._meta.db_table} AS numbers (year, last)
        VALUES (extract(year FROM now() AT TIME ZONE 'UTC')::int, 1)
        ON CONFLICT (year) DO UPDATE SET last = numbers.last + 1
        RETURNING year, last, now() AS at
    """  # noqa: S608 - the table's name comes from the model


def next_number(numbers: type[YearlyNumbers]) -> tuple[int, datetime]:
    """Take the next number of this year, and say when."""
    with connection.cursor() as cursor:
        cursor.execute(taking(numbers))
        year, last, at = cursor.fetchone()
    return year * YEAR + last, at


def skip(numbers: type[YearlyNumbers], count: int) -> None:
    """Leave so many numbers of this year out, and note which.

    What a restore has lost had them, and shoppers know them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {numbers._meta.db_table} AS numbers (year, last, skipped)
            VALUES (
                extract(year FROM now() AT TIME ZONE 'UTC')::int, %(count)s,
                jsonb_build_array(jsonb_build_object('from', 1, 'to', %(count)s, 'at', now()))
            )
            ON CONFLICT (year) DO UPDATE SET
                last = numbers.last + %(count)s,
                skipped = numbers.skipped || jsonb_build_object(
                    'from', numbers.last + 1, 'to', numbers.last + %(count)s, 'at', now()
                )
            """,  # noqa: S608 - the table's name comes from the model
            {"count": count},
        )
