"""The kernel's own background work."""

from celery import shared_task
from django.utils import timezone

from apps.kernel.anchors import anchor
from apps.kernel.audit import seal
from apps.kernel.delivery import forget_delivered_events, relay_batch
from apps.kernel.idempotency import forget_old_answers

BATCHES_A_RUN = 50


@shared_task(name="kernel.relay_outbox")
def relay_outbox() -> None:
    """Deliver what is open."""
    for _ in range(BATCHES_A_RUN):
        if not relay_batch():
            return


@shared_task(name="kernel.forget_old_records")
def forget_old_records() -> None:
    """Delete the keys and events that nobody may ask for any more."""
    forget_old_answers()
    forget_delivered_events()


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
