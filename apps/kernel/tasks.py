"""The kernel's own background work."""

import time

from celery import shared_task
from django.core.mail import get_connection
from django.utils import timezone

from apps.kernel import trail
from apps.kernel.anchors import anchor
from apps.kernel.audit import seal
from apps.kernel.delivery import forget_delivered_events, relay_batch
from apps.kernel.idempotency import forget_old_answers
from apps.kernel.mail import forget_old_mails, hand_over_next

BATCHES_A_RUN = 50
SECONDS_OF_MAILS = 5.0


@shared_task(name="kernel.relay_outbox")
def relay_outbox() -> None:
    """Deliver what is open."""
    for _ in range(BATCHES_A_RUN):
        if not relay_batch():
            return


@shared_task(name="kernel.forget_old_records")
def forget_old_records() -> None:
    """Delete the keys, events and mails that nobody may ask for any more."""
    forget_old_answers()
    forget_delivered_events()
    forget_old_mails()


@shared_task(name="kernel.send_mails")
def send_mails() -> None:
    """Hand over what is due, on one connection, until nothing is or the turn is over."""
    deadline = time.monotonic() + SECONDS_OF_MAILS
    server = get_connection()
    more = True
    try:
        while more and time.monotonic() < deadline:
            with trail.step("kernel.hand_over_next"):
                more = hand_over_next(server)
    finally:
        server.close()


@shared_task(name="kernel.seal_audit_log")
def seal_audit_log() -> None:
    """Number and chain what has been recorded."""
    for _ in range(BATCHES_A_RUN):
        if not seal():
            return


@shared_task(name="kernel.anchor_audit_log")
def anchor_audit_log() -> None:
    """Write the newest hash down outside the database."""
    anchor(at=timezone.now())
