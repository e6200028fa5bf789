"""Publishing facts: inside the transaction they describe, delivered after it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from apps.kernel.ids import new_id
from apps.kernel.json import dumps
from apps.kernel.prepared import prepared
from apps.kernel.trail import request_id, traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the past tense. Subclasses set `name` and add flat fields that JSON can carry."""

    name: ClassVar[str]


def publish(event: Event, *, aggregate_id: UUID) -> None:
    """Store the event in the caller's transaction; the relay delivers it after the commit.

    The caller holds the aggregate's row lock, which is what numbers its events without a gap.
    Raises RuntimeError outside a transaction.
    """
    publish_all({aggregate_id: event})


def publish_all(events: Mapping[UUID, Event]) -> None:
    """Store one event for each aggregate, as `publish` does. One statement, none for none.

    Raises RuntimeError outside a transaction.
    """
    if not events:
        return
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        names = ", ".join({event.name for event in events.values()})
        raise RuntimeError(f"{names} must be published inside the transaction it describes.")
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_outboxevent
                (id, aggregate_id, seq, name, payload, request_id, traceparent)
            SELECT told.id, told.about,
                coalesce((
                    SELECT max(seq) FROM kernel_outboxevent WHERE aggregate_id = told.about
                ), 0) + 1,
                told.name, told.payload, %(request_id)s, %(traceparent)s
            FROM jsonb_to_recordset(%(events)s::jsonb)
                AS told (id uuid, about uuid, name text, payload jsonb)
            """,
            {
                "events": dumps(
                    [
                        {
                            "id": new_id(),
                            "about": aggregate_id,
                            "name": event.name,
                            "payload": {
                                each.name: getattr(event, each.name) for each in fields(event)
                            },
                        }
                        for aggregate_id, event in events.items()
                    ]
                ).decode(),
                "request_id": request_id(),
                "traceparent": traceparent(),
            },
        )
