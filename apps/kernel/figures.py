"""Figures of work that is open: rows of any kind that wait, and events not delivered yet."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Model, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.models import Mail, OutboxEvent


@dataclass(frozen=True, slots=True)
class OpenEvents:
    """Events that some subscriber has not had yet."""

    events: int
    oldest: float  # seconds; 0 when there is none
    most_tries: int


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Rows of one kind that are not finished; those that a worker should take now are due.

    Ages are in seconds; 0 when there is none.
    """

    kind: str
    open: int
    due: int
    oldest_due: float
    oldest: float


def open_events() -> OpenEvents:
    """Return how many events are open, and for how long."""
    found = OutboxEvent.objects.filter(done_at__isnull=True).aggregate(
        events=Count("pk"), oldest=Min("created_at"), tries=Max("tries")
    )
    return OpenEvents(found["events"], _age(found["oldest"]), found["tries"] or 0)


def open_rows(kind: str, model: type[Model], *, since: str = "created_at") -> OpenWork:
    """Return how many rows of a kind are open and due, and for how long.

    `since` is the column that tells when a row's work began.
    """
    nobody_has_it = Q(lease_until=None) | Q(lease_until__lt=Now())
    due = Q(next_action_at__lte=Now()) & nobody_has_it
    # The condition of the partial indexes `…_due`: finished rows are not even looked at.
    found = model._default_manager.filter(next_action_at__isnull=False).aggregate(
        open=Count("pk"),
        due=Count("pk", filter=due),
        oldest_due=Min("next_action_at", filter=due),
        oldest=Min(since),
    )
    return OpenWork(
        kind, found["open"], found["due"], _age(found["oldest_due"]), _age(found["oldest"])
    )


def open_mails() -> OpenWork:
    """Return how many mails are not handed over, and for how long."""
    return open_rows("mail", Mail)


def _age(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0
