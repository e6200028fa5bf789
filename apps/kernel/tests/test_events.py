"""Publishing facts."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from apps.kernel.events import Event, publish
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.tests.threads import at_once


@dataclass(frozen=True, slots=True, kw_only=True)
class LampLit(Event):
    """Somebody needs light."""

    name: ClassVar[str] = "kernel.lamp_lit"

    lamp_id: UUID
    watts: int = 60


def light(lamp_id: UUID) -> None:
    publish(LampLit(lamp_id=lamp_id), aggregate_id=lamp_id)


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"kernel\.lamp_lit must be published inside"):
        light(new_id())

    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_leaves_no_event() -> None:
    with transaction.atomic():
        light(new_id())
        transaction.set_rollback(True)

    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_an_event_is_stored_open_with_what_it_says() -> None:
    lamp_id = new_id()

    light(lamp_id)

    event = OutboxEvent.objects.get()
    assert (event.name, event.aggregate_id, event.seq) == ("kernel.lamp_lit", lamp_id, 1)
    assert event.payload == {"lamp_id": str(lamp_id), "watts": 60}
    assert (event.claimed_until, event.done_at, event.tries) == (None, None, 0)


@pytest.mark.django_db
def test_events_are_numbered_for_each_aggregate_apart() -> None:
    one, other = new_id(), new_id()

    for lamp_id in (one, other, one, one):
        light(lamp_id)

    numbered = OutboxEvent.objects.order_by("id").values_list("aggregate_id", "seq")
    assert list(numbered) == [(one, 1), (other, 1), (one, 2), (one, 3)]


@pytest.mark.django_db(transaction=True)
def test_publishers_that_hold_the_aggregates_lock_number_without_a_gap() -> None:
    lamp_id = new_id()

    def light_under_its_lock() -> None:
        for _ in range(5):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lamp_id.int % 2**63])
                light(lamp_id)

    at_once(*[light_under_its_lock] * 8)

    numbers = OutboxEvent.objects.order_by("seq").values_list("seq", flat=True)
    assert list(numbers) == list(range(1, 41))


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_no_number_is_given_twice() -> None:
    lamp_id = new_id()

    def light_without_a_lock() -> bool:
        try:
            with transaction.atomic():
                light(lamp_id)
        except IntegrityError:
            return False
        return True

    lit = at_once(*[light_without_a_lock] * 8)

    numbers = OutboxEvent.objects.order_by("seq").values_list("seq", flat=True)
    assert list(numbers) == list(range(1, sum(lit) + 1))
