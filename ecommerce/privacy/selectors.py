"""Reads: how many wishes are open, and for how long."""

from datetime import datetime

from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.orders import interface as orders
from ecommerce.privacy.models import DataExport, ErasureRequest


def open_requests() -> list[orders.OpenWork]:
    """Return how many exports and erasures are open, and how long the oldest has been due."""
    kinds = (("data_export", DataExport), ("erasure", ErasureRequest))
    return [_open(kind, model) for kind, model in kinds]


def _open(kind: str, model: type[DataExport] | type[ErasureRequest]) -> orders.OpenWork:
    found = model._default_manager.filter(next_action_at__isnull=False).aggregate(
        open=Count("pk"),
        due=Count("pk", filter=Q(next_action_at__lte=Now())),
        oldest_due=Min("next_action_at", filter=Q(next_action_at__lte=Now())),
        oldest=Min("requested_at"),
    )
    return orders.OpenWork(
        kind, found["open"], found["due"], _age(found["oldest_due"]), _age(found["oldest"])
    )


def _age(since: datetime | None) -> float:
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0
