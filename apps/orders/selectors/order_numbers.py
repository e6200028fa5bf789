"""Reads: the numbers of a year that nothing has."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Min

from apps.orders.models import Order, OrderNumbers
from apps.orders.models.order_number import YEAR, YearlyNumbers

GAPS = """
    SELECT before + 1, number - 1 FROM (
        SELECT number, lag(number, 1, %(first)s - 1) OVER (ORDER BY number) AS before
        FROM (
            SELECT number FROM {having} WHERE number BETWEEN %(first)s AND %(last)s
            UNION ALL SELECT %(last)s + 1
        ) AS given
    ) AS neighbours
    WHERE number > before + 1 ORDER BY number
"""


def missing_numbers(*, placed_since: datetime | None = None) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of numbers that no order has any more.

    With `placed_since` only numbers from the lowest one of a younger order on are looked at.
    """
    lowest = YEAR
    if placed_since is not None:
        younger = Order.objects.filter(placed_at__gte=placed_since, number__gt=YEAR)
        lowest = younger.aggregate(lowest=Min("number"))["lowest"]
        if lowest is None:
            return
    yield from gaps(OrderNumbers, having="orders_order", lowest=lowest)


def gaps(
    numbers: type[YearlyNumbers], *, having: str, lowest: int = YEAR
) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of numbers that were given out and are gone.

    `having` is the table or query whose column `number` has them. What was skipped on purpose is
    not missing.
    """
    # The counters are read first: what they have given out by then is committed with its owners.
    for row in list(numbers._default_manager.order_by("year")):
        base = row.year * YEAR
        bounds = {"first": max(base + 1, lowest), "last": base + row.last}
        if bounds["first"] > bounds["last"]:
            continue
        with connection.cursor() as cursor:
            cursor.execute(GAPS.format(having=having), bounds)
            found = cursor.fetchall()
        for first, last in found:
            yield from _without_skipped(first, last, base, row.skipped)


def _without_skipped(
    first: int, last: int, base: int, skipped: list[dict[str, Any]]
) -> Iterator[tuple[int, int]]:
    for each in sorted(skipped, key=lambda each: int(each["from"])):
        skipped_from, skipped_to = base + each["from"], base + each["to"]
        if skipped_to < first or skipped_from > last:
            continue
        if skipped_from > first:
            yield first, skipped_from - 1
        first = skipped_to + 1
    if first <= last:
        yield first, last
