"""The background work of notices."""

import time

from celery import shared_task

from apps.kernel import trail
from ecommerce.notices import services

SECONDS_A_RUN = 5.0


@shared_task(name="notices.tell_who_waited")
def tell_who_waited() -> None:
    """Write what is due, until nothing is or the turn is over."""
    deadline = time.monotonic() + SECONDS_A_RUN
    more = True
    while more and time.monotonic() < deadline:
        with trail.step("notices.tell_who_waited"):
            more = services.tell_who_waited()


@shared_task(name="notices.tell_what_is_low")
def tell_what_is_low() -> None:
    """Look at all stock once."""
    services.tell_what_is_low()
