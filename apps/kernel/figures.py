"""Figures of what the kernel promises: events that are not delivered yet."""

from dataclasses import dataclass

from django.db.models import Count, Max, Min
from django.utils import timezone

from apps.kernel.models import OutboxEvent


@dataclass(frozen=True, slots=True)
class OpenEvents:
    """Events that some subscriber has not had yet."""

    events: int
    oldest: float  # seconds; 0 when there is none
    most_tries: int


def open_events() -> OpenEvents:
    """Return how many events are open, and for how long."""
    found = OutboxEvent.objects.filter(done_at__isnull=True).aggregate(
        events=Count("pk"), oldest=Min("created_at"), tries=Max("tries")
    )
    oldest = found["oldest"]
    age = max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0
    return OpenEvents(found["events"], age, found["tries"] or 0)
