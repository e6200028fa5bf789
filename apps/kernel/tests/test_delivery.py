"""Delivering facts: at least once to the queue, each effect once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from threading import Event as Signal
from typing import Any, ClassVar
from uuid import UUID

import pytest
from celery import Celery, current_app
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from kombu import Connection
from kombu.exceptions import OperationalError
from pytest_django import Settings

from apps.kernel import delivery
from apps.kernel.delivery import (
    KEPT_FOR,
    LEASE,
    LONGEST_LEASE,
    forget_delivered_events,
    relay_batch,
    subscriber,
)
from apps.kernel.events import Event, publish
from apps.kernel.ids import new_id
from apps.kernel.models import InboxEntry, OutboxEvent
from apps.kernel.tasks import relay_outbox
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

Table = dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BellRung(Event):
    """Somebody is at the door."""

    name: ClassVar[str] = "kernel.bell_rung"

    visitor: str = "Robin"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorOpened(Event):
    """Somebody went to look."""

    name: ClassVar[str] = "kernel.door_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """The effect that these tests count, since it is in the same database."""

    name: ClassVar[str] = "kernel.noted"

    by: str
    what: str


def note(by: str, what: str) -> None:
    publish(Noted(by=by, what=what), aggregate_id=new_id())


@subscriber("kernel.tests.dog")
def dog(*, visitor: str = "", **_: object) -> None:
    note("dog", visitor)


@subscriber("kernel.tests.butler")
def butler(*, visitor: str = "", **_: object) -> None:
    note("butler", visitor)


@subscriber("kernel.tests.broken")
def broken(**_: object) -> None:
    note("broken", "half an effect")
    raise ZeroDivisionError


@pytest.fixture(autouse=True)
def subscriptions(settings: Settings) -> Table:
    table = {"kernel.bell_rung": ["kernel.tests.dog"]}
    settings.EVENT_SUBSCRIPTIONS = table
    return table


@pytest.fixture(autouse=True)
def queue_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """A broker inside this process, empty at the start and at the end."""
    monkeypatch.setenv("CELERY_BROKER_URL", "memory://")  # Celery prefers it to any setting
    app = Celery("tests", set_as_current=False)
    monkeypatch.setattr(delivery, "current_app", app)
    sent()
    yield app
    sent()


def ring(*, door: UUID | None = None, visitor: str = "Robin") -> UUID:
    with transaction.atomic():
        publish(BellRung(visitor=visitor), aggregate_id=door or new_id())
    return OutboxEvent.objects.latest("id").pk


def relay() -> int:
    """Relay all that is open except the notes, which nobody subscribes to."""
    OutboxEvent.objects.filter(name="kernel.noted").update(done_at=Now())
    return relay_batch()


def sent() -> list[tuple[str, UUID]]:
    """Take the messages out of the queue: task and event."""
    messages = []
    broker: Any = Connection("memory://")  # type: ignore[no-untyped-call]  # kombu has no types
    with broker, broker.SimpleQueue("celery") as queue:
        while queue.qsize():
            message = queue.get_nowait()
            message.ack()
            _, kwargs, _ = message.payload
            messages.append((message.headers["task"], UUID(kwargs["event_id"])))
    return messages


def deliver(task: str, event_id: UUID) -> None:
    current_app.tasks[task](event_id=str(event_id))


def end_the_lease(event_id: UUID) -> None:
    OutboxEvent.objects.filter(pk=event_id).update(claimed_until=Now() - timedelta(seconds=1))


def lease_of(event_id: UUID) -> float:
    """Return the seconds that are left, by the database's clock."""
    left = ExpressionWrapper(F("claimed_until") - Now(), DurationField())
    lease: timedelta = OutboxEvent.objects.filter(pk=event_id).values_list(left, flat=True).get()
    return lease.total_seconds()


def notes() -> list[tuple[str, str]]:
    rows = OutboxEvent.objects.filter(name="kernel.noted").order_by("id")
    return [(payload["by"], payload["what"]) for payload in rows.values_list("payload", flat=True)]


def is_done(event_id: UUID) -> bool:
    return OutboxEvent.objects.filter(pk=event_id, done_at__isnull=False).exists()


def test_an_event_is_handed_to_its_subscriber_and_done_after_the_effect() -> None:
    event_id = ring()

    assert relay() == 1
    assert sent() == [("kernel.tests.dog", event_id)]
    assert not is_done(event_id)

    deliver("kernel.tests.dog", event_id)
    assert notes() == [("dog", "Robin")]
    assert is_done(event_id)
    assert relay() == 0


def test_an_event_that_nobody_wants_is_done_at_once(subscriptions: Table) -> None:
    subscriptions.clear()
    event_id = ring()

    assert relay() == 1
    assert sent() == []
    assert is_done(event_id)


def test_a_claimed_event_is_not_sent_again_before_its_lease_ends() -> None:
    event_id = ring()
    relay()
    sent()

    assert relay() == 0
    assert sent() == []

    end_the_lease(event_id)
    assert relay() == 1
    assert sent() == [("kernel.tests.dog", event_id)]


def test_a_lost_message_is_sent_again_with_a_growing_lease_and_never_given_up() -> None:
    event_id = ring()
    leases = []
    for _ in range(20):
        assert relay() == 1
        leases.append(lease_of(event_id))
        end_the_lease(event_id)

    assert len(sent()) == 20
    base = LEASE.total_seconds()
    assert leases[:4] == pytest.approx([base, 2 * base, 4 * base, 8 * base], abs=1)
    assert leases[-1] == pytest.approx(LONGEST_LEASE.total_seconds(), abs=1)


def test_two_relays_at_once_never_send_the_same_event() -> None:
    event_ids = {ring() for _ in range(60)}

    def relay_until_nothing_is_left() -> int:
        total = 0
        while looked_at := relay_batch(limit=7):
            total += looked_at
        return total

    counts = at_once(*[relay_until_nothing_is_left] * 4)

    messages = sent()
    assert sum(counts) == 60
    assert len(messages) == 60
    assert {event_id for _, event_id in messages} == event_ids


def test_a_relay_without_a_broker_only_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = ring()

    with monkeypatch.context() as away:
        away.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
        app = Celery("away", set_as_current=False)
        app.conf.task_publish_retry = False
        away.setattr(delivery, "current_app", app)
        with pytest.raises(OperationalError):
            relay()
    assert not is_done(event_id)

    end_the_lease(event_id)
    relay()
    assert sent() == [("kernel.tests.dog", event_id)]


def test_a_transaction_that_commits_late_is_not_skipped() -> None:
    began, may_commit = Signal(), Signal()
    late = new_id()

    def ring_slowly() -> None:
        with transaction.atomic():
            publish(BellRung(visitor="late"), aggregate_id=late)
            began.set()
            assert may_commit.wait(timeout=10)

    def ring_and_relay() -> list[tuple[str, UUID]]:
        assert began.wait(timeout=10)
        younger = ring()
        relay()
        deliver("kernel.tests.dog", younger)
        first = sent()
        may_commit.set()
        return first

    _, first = at_once(ring_slowly, ring_and_relay)
    older = OutboxEvent.objects.get(aggregate_id=late).pk

    assert first
    assert older < first[0][1]
    assert relay() == 1
    assert sent() == [("kernel.tests.dog", older)]


def test_eight_deliveries_at_once_have_one_effect() -> None:
    event_id = ring()

    at_once(*[lambda: deliver("kernel.tests.dog", event_id)] * 8)

    assert notes() == [("dog", "Robin")]
    assert InboxEntry.objects.count() == 1
    assert is_done(event_id)


def test_events_of_one_aggregate_have_their_effects_in_order() -> None:
    door = new_id()
    first, second, third = [ring(door=door, visitor=name) for name in "abc"]

    for event_id in (third, second, first):
        deliver("kernel.tests.dog", event_id)
    assert notes() == [("dog", "a")]

    deliver("kernel.tests.dog", third)
    deliver("kernel.tests.dog", second)
    deliver("kernel.tests.dog", third)
    assert notes() == [("dog", "a"), ("dog", "b"), ("dog", "c")]


def test_an_event_that_came_too_early_is_sent_again_soon() -> None:
    door = new_id()
    first, second = ring(door=door), ring(door=door)
    relay()
    sent()

    deliver("kernel.tests.dog", second)
    OutboxEvent.objects.filter(pk=second, claimed_until__lte=Now() + timedelta(seconds=1)).get()

    deliver("kernel.tests.dog", first)
    end_the_lease(second)
    relay()
    assert sent() == [("kernel.tests.dog", second)]


def test_only_events_that_the_consumer_wants_have_an_order(subscriptions: Table) -> None:
    door = new_id()
    with transaction.atomic():
        publish(DoorOpened(), aggregate_id=door)
    second = ring(door=door)

    deliver("kernel.tests.dog", second)
    assert notes() == [("dog", "Robin")]


def test_a_new_subscriber_does_not_wait_for_what_was_over_before_it_came(
    subscriptions: Table,
) -> None:
    door = new_id()
    first = ring(door=door)
    deliver("kernel.tests.dog", first)
    assert is_done(first)
    subscriptions["kernel.bell_rung"] = ["kernel.tests.dog", "kernel.tests.butler"]
    second = ring(door=door, visitor="Kim")

    deliver("kernel.tests.butler", second)

    assert notes() == [("dog", "Robin"), ("butler", "Kim")]


def test_a_failing_consumer_leaves_no_effect_and_the_event_open(subscriptions: Table) -> None:
    subscriptions["kernel.bell_rung"] = ["kernel.tests.broken"]
    event_id = ring()

    with pytest.raises(ZeroDivisionError):
        deliver("kernel.tests.broken", event_id)

    assert notes() == []
    assert not InboxEntry.objects.exists()
    assert not is_done(event_id)
    assert relay() == 1


def test_an_event_for_two_is_done_when_both_have_had_their_effect(subscriptions: Table) -> None:
    subscriptions["kernel.bell_rung"] = ["kernel.tests.dog", "kernel.tests.butler"]
    event_id = ring()
    relay()
    assert sorted(task for task, _ in sent()) == ["kernel.tests.butler", "kernel.tests.dog"]

    deliver("kernel.tests.dog", event_id)
    assert relay() == 1
    assert sent() == [("kernel.tests.butler", event_id)]
    assert not is_done(event_id)

    deliver("kernel.tests.butler", event_id)
    assert relay() == 1
    assert sent() == []
    assert is_done(event_id)
    assert notes() == [("dog", "Robin"), ("butler", "Robin")]


def test_one_failing_consumer_does_not_hold_up_the_other(subscriptions: Table) -> None:
    subscriptions["kernel.bell_rung"] = ["kernel.tests.broken", "kernel.tests.dog"]
    event_id = ring()

    with pytest.raises(ZeroDivisionError):
        deliver("kernel.tests.broken", event_id)
    deliver("kernel.tests.dog", event_id)

    assert notes() == [("dog", "Robin")]
    relay()
    assert sent() == [("kernel.tests.broken", event_id)]


def test_a_message_about_an_event_that_is_gone_does_nothing() -> None:
    deliver("kernel.tests.dog", new_id())
    assert notes() == []


def test_a_message_of_a_newer_publisher_is_understood() -> None:
    event_id = ring()

    current_app.tasks["kernel.tests.dog"](event_id=str(event_id), colour="blue")
    assert notes() == [("dog", "Robin")]


def test_the_relay_task_goes_on_until_nothing_is_open() -> None:
    for _ in range(130):
        ring()

    relay_outbox()
    assert len(sent()) == 130


def test_what_was_delivered_long_ago_is_forgotten_and_numbering_goes_on() -> None:
    door = new_id()
    old, newest = ring(door=door), ring(door=door)
    for event_id in (old, newest):
        deliver("kernel.tests.dog", event_id)
    OutboxEvent.objects.filter(name="kernel.noted").delete()
    assert forget_delivered_events() == 0

    OutboxEvent.objects.update(done_at=Now() - KEPT_FOR - timedelta(seconds=1))
    forget_delivered_events()

    assert list(OutboxEvent.objects.values_list("pk", flat=True)) == [newest]
    assert not InboxEntry.objects.filter(event_id=old).exists()
    ring(door=door)
    assert OutboxEvent.objects.filter(aggregate_id=door).latest("id").seq == 3


def test_an_open_event_is_never_forgotten() -> None:
    door = new_id()
    open_one = ring(door=door)
    ring(door=door)
    OutboxEvent.objects.update(created_at=Now() - 2 * KEPT_FOR)
    assert forget_delivered_events() == 0
    assert OutboxEvent.objects.filter(pk=open_one).exists()
