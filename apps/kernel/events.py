"""Publishing facts: inside the transaction they describe, delivered after it."""

from dataclasses import asdict, dataclass
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from apps.kernel.ids import new_id
from apps.kernel.json import dumps
from apps.kernel.trail import request_id, traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact in the past tense. Subclasses set `name` and add fields that JSON can carry."""

    name: ClassVar[str]


def publish(event: Event, *, aggregate_id: UUID) -> None:
    """Store the event in the caller's transaction; the relay delivers it after the commit.

    The caller holds the aggregate's row lock, which is what numbers its events without a gap.
    Raises RuntimeError outside a transaction.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event.name} must be published inside the transaction it describes.")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_outboxevent
                (id, aggregate_id, seq, name, payload, request_id, traceparent)
            SELECT %(id)s, %(about)s, coalesce(max(seq), 0) + 1, %(name)s, %(payload)s::jsonb,
                %(request_id)s, %(traceparent)s
            FROM kernel_outboxevent WHERE aggregate_id = %(about)s
            """,
            {
                "id": new_id(),
                "about": aggregate_id,
                "name": event.name,
                "payload": dumps(asdict(event)).decode(),
                "request_id": request_id(),
                "traceparent": traceparent(),
            },
        )
