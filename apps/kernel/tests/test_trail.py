"""Whose work it is, from the request to the row to the worker."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from django.db import transaction

from apps.kernel.delivery import consume_event
from apps.kernel.events import Event, publish
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.trail import (
    Trail,
    following,
    request_id,
    step,
    take_up,
    traceparent,
    trail_of,
)

OURS = Trail("abc-12345", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class BellRung(Event):
    """Somebody is at the door."""

    name: ClassVar[str] = "kernel.bell_rung"


def ring() -> OutboxEvent:
    door = new_id()
    with transaction.atomic():
        publish(BellRung(), aggregate_id=door)
    return OutboxEvent.objects.get(aggregate_id=door)


@pytest.mark.django_db
def test_an_event_remembers_the_request_it_began_with() -> None:
    with following(OURS, "request"):
        event = ring()

    assert Trail(event.request_id, event.traceparent) == OURS


@pytest.mark.django_db
def test_an_event_of_no_request_remembers_none() -> None:
    event = ring()

    assert (event.request_id, event.traceparent) == ("", "")


@pytest.mark.django_db
def test_a_subscriber_works_under_the_trail_of_the_event() -> None:
    with following(OURS, "request"):
        event = ring()
    seen = []

    consume_event(
        event.pk, consumer="x", effect=lambda: seen.append(Trail(request_id(), traceparent()))
    )

    assert seen == [OURS]
    assert request_id() == ""


def test_a_step_follows_what_it_has_taken_up_until_it_ends() -> None:
    with step("orders.advance_payment"):
        assert request_id() == ""
        take_up(OURS)
        assert (request_id(), traceparent()) == (OURS.request_id, OURS.traceparent)

    assert request_id() == ""


def test_outside_a_step_nothing_is_taken_up() -> None:
    take_up(OURS)

    assert request_id() == ""


def test_an_exception_says_whose_work_has_failed() -> None:
    with pytest.raises(ValueError, match="x") as caught, step("outer"):  # noqa: PT012
        take_up(OURS)
        raise ValueError("x")

    assert trail_of(caught.value) == OURS
    assert trail_of(ValueError()) == Trail()
