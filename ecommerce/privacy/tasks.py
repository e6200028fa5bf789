"""The background work of privacy."""

import time
from collections.abc import Callable

from celery import shared_task
from django.utils import timezone

from apps.kernel import trail
from ecommerce.privacy.services import erased, erasures, exports

SECONDS_A_RUN = 5.0


@shared_task(name="privacy.process_requests")
def process_requests() -> None:
    """Make archives and erase people that are due."""
    _while_due(exports.advance_export)
    _while_due(erasures.advance_erasure)


@shared_task(name="privacy.forget_old_records")
def forget_old_records() -> None:
    """Delete the archives, and the entries in the list of erasures, whose time is over."""
    exports.forget_expired_exports()
    erased.forget_old_entries(at=timezone.now())


def _while_due(advance: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_A_RUN
    more = True
    while more and time.monotonic() < deadline:
        with trail.step(f"privacy.{advance.__name__}"):
            more = advance()
