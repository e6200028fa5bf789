"""Figures of what the kernel promises: events and mails that are not delivered yet."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q
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
class OpenMails:
    """Mails that wait to be handed over. Ages are in seconds; 0 when there is none."""

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


def open_mails() -> OpenMails:
    """Return how many mails are open and due, and for how long."""
    due = Q(next_action_at__lte=Now())
    found = Mail.objects.filter(next_action_at__isnull=False).aggregate(
        open=Count("pk"),
        due=Count("pk", filter=due),
        oldest_due=Min("next_action_at", filter=due),
        oldest=Min("created_at"),
    )
    return OpenMails(found["open"], found["due"], _age(found["oldest_due"]), _age(found["oldest"]))


def _age(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0
