"""Rows that are work: claiming what is due in one statement, a lease, no two workers on one row."""

from datetime import timedelta
from typing import TypeVar

from django.db.models.functions import Now

from apps.kernel.models import Work
from apps.kernel.trail import Trail, take_up

LEASE = timedelta(seconds=30)
SLOWEST_RETRY = timedelta(minutes=10)


Row = TypeVar("Row", bound=Work)


def claim(model: type[Row], *, lease: timedelta = LEASE) -> Row | None:
    """Take the row that is due longest for the time of the lease, by the database's clock.

    Every call counts as a try. Whoever crashes loses the lease, and the row is due again. The
    present step goes on under the trail of the request that the row began with.
    """
    table = model._meta.db_table
    claimed = model._default_manager.raw(
        f"""
        UPDATE {table} SET lease_until = statement_timestamp() + %s, tries = tries + 1
        WHERE id = (
            SELECT id FROM {table}
            WHERE next_action_at <= statement_timestamp()
                AND (lease_until IS NULL OR lease_until < statement_timestamp())
            ORDER BY next_action_at LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING *
        """,  # noqa: S608 - the table's name comes from the model
        [lease],
    )
    row = next(iter(claimed), None)
    if row is not None:
        take_up(Trail(row.request_id, row.traceparent))
    return row


def due_later(row: Work, *, after: timedelta) -> None:
    """Give the lease back; the row is due again after that time."""
    type(row)._default_manager.filter(pk=row.pk).update(
        lease_until=None, next_action_at=Now() + after
    )


def due_after_failure(row: Work) -> None:
    """Give the lease back; wait twice as long after each try, from 2 seconds to 10 minutes."""
    due_later(row, after=min(timedelta(seconds=2 ** min(row.tries, 12)), SLOWEST_RETRY))
