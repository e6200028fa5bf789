"""Delivering events: the relay hands them to the queue, subscribers have each effect once."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from celery import current_app, shared_task
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from apps.kernel.models import InboxEntry, OutboxEvent
from apps.kernel.trail import Trail, following

LEASE = timedelta(seconds=30)
LONGEST_LEASE = timedelta(hours=1)
PUT_BACK = timedelta(seconds=1)
KEPT_FOR = timedelta(days=30)


def relay_batch(*, limit: int = 100) -> int:
    """Hand open events to their subscribers' tasks. Returns how many were looked at.

    An event stays open until every subscriber has had its effect, so a message that the broker
    loses is sent again when the lease ends; the lease doubles with each try, up to an hour.
    """
    leases: list[Any] = [LEASE, LONGEST_LEASE, limit]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE kernel_outboxevent
            SET tries = tries + 1,
                claimed_until = now() + least(%s * power(2, least(tries, 12)), %s)
            WHERE id IN (
                SELECT id FROM kernel_outboxevent
                WHERE done_at IS NULL AND (claimed_until IS NULL OR claimed_until < now())
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            )
            RETURNING id, name,
                ARRAY(SELECT consumer FROM kernel_inboxentry WHERE event_id = kernel_outboxevent.id)
            """,
            leases,
        )
        claimed: list[tuple[UUID, str, list[str]]] = cursor.fetchall()
    done = []
    for event_id, name, consumed in sorted(claimed):
        waiting = [task for task in subscribers_of(name) if task not in consumed]
        for task in waiting:
            current_app.tasks[task].apply_async(kwargs={"event_id": str(event_id)})
        if not waiting:
            done.append(event_id)
    if done:
        OutboxEvent.objects.filter(pk__in=done).update(done_at=Now())
    return len(claimed)


def subscribers_of(name: str) -> list[str]:
    """Return the names of the tasks that want events of this name."""
    subscriptions: dict[str, list[str]] = settings.EVENT_SUBSCRIPTIONS
    return subscriptions.get(name, [])


def subscriber(name: str) -> Callable[[Callable[..., None]], Any]:
    """Make a function the task `name` that is called with an event's payload.

    The function runs in the transaction that proves it ran, so each event has its effect once,
    and in the order of the events of one aggregate. It must not talk to the outside.
    """

    def decorate(function: Callable[..., None]) -> Any:
        @wraps(function)
        def consume(*, event_id: str, **_: object) -> None:
            consume_event(UUID(event_id), consumer=name, effect=function)

        return shared_task(name=name)(consume)

    return decorate


@transaction.atomic
def consume_event(event_id: UUID, *, consumer: str, effect: Callable[..., None]) -> bool:
    """Have the effect unless this consumer has had it. Returns whether it did now."""
    event = OutboxEvent.objects.filter(pk=event_id).first()
    if event is None:
        return False
    with following(Trail(event.request_id, event.traceparent), consumer):
        return _consume(event, consumer, effect)


def _consume(event: OutboxEvent, consumer: str, effect: Callable[..., None]) -> bool:
    if _waits_for_an_earlier_one(event, consumer):
        OutboxEvent.objects.filter(pk=event.pk).update(claimed_until=Now() + PUT_BACK)
        return False
    _, created = InboxEntry.objects.get_or_create(event=event, consumer=consumer)
    if not created:
        return False
    effect(**event.payload)
    if len(subscribers_of(event.name)) == 1:
        OutboxEvent.objects.filter(pk=event.pk).update(done_at=Now())
    else:
        # Who is last cannot be seen from inside; the relay looks again at once.
        OutboxEvent.objects.filter(pk=event.pk, done_at=None).update(claimed_until=Now())
    return True


def forget_delivered_events() -> int:
    """Delete what was delivered long ago; numbering goes on from the newest. Returns how many.

    The last event of an aggregate stays, because the next one is numbered after it.
    """
    later = OutboxEvent.objects.filter(
        aggregate_id=OuterRef("aggregate_id"), seq__gt=OuterRef("seq")
    )
    deleted, _ = (
        OutboxEvent.objects.filter(done_at__lt=Now() - KEPT_FOR).filter(Exists(later)).delete()
    )
    return deleted


def _waits_for_an_earlier_one(event: OutboxEvent, consumer: str) -> bool:
    wanted = [name for name, tasks in settings.EVENT_SUBSCRIPTIONS.items() if consumer in tasks]
    consumed = InboxEntry.objects.filter(event=OuterRef("pk"), consumer=consumer)
    return (
        OutboxEvent.objects.filter(
            aggregate_id=event.aggregate_id, seq__lt=event.seq, name__in=wanted, done_at=None
        )
        .filter(~Exists(consumed))
        .exists()
    )
