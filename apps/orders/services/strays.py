"""Payments whose orders a restored database has forgotten: find them, and send them back.

Also the opposite: money that went back in the time that was lost, for an order that came back.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min
from django.db.models.functions import Now

from apps.kernel.work import claim, due_after_failure, due_later
from apps.orders.models import Order, PaymentAttempt, StrayPayment
from apps.orders.payments import gateway_for
from apps.orders.payments.gateway import (
    OutcomeUnknown,
    PaymentRefused,
    PaymentState,
    PaymentStatus,
)
from apps.orders.selectors.orders import STORE
from apps.orders.services import fees, ledger
from apps.orders.services.orders import cancel_order
from apps.orders.services.refunds import remember_refund
from apps.orders.services.transitions import OrderStatusConflict
from apps.orders.states import AttemptStatus, OrderStatus, StrayStatus

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=5)
# A transaction that wrote a lost attempt may have begun before the last one that was kept.
LONGEST_TRANSACTION = timedelta(hours=1)
NOTHING_TO_RETURN = frozenset({PaymentStatus.VOIDED, PaymentStatus.FAILED})


@dataclass(frozen=True, slots=True)
class LostWindow:
    """What the provider knows and the restored database does not."""

    provider: str
    strays: list[PaymentState]
    refunded_orders: list[UUID]
    lost_refunds: dict[UUID, int]


def look_into(provider: str, *, since: datetime | None = None) -> LostWindow | None:
    """Compare with the provider's list. Without `since` the database tells where to begin.

    Returns None when it cannot tell, because it knows no payment at all.
    Raises OutcomeUnknown when the provider does not answer.
    """
    since = since or _beginning(provider)
    if since is None:
        return None
    states = [
        state for state in gateway_for(provider).states(since=since) if _uuid(state.attempt_id)
    ]
    ours = {
        attempt.pk: attempt
        for attempt in PaymentAttempt.objects.filter(pk__in=[each.attempt_id for each in states])
    }
    kept = set(StrayPayment.objects.filter(provider=provider).values_list("reference", flat=True))
    returned = {
        state.reference for state in states if state.captured_minor and not _to_return(state)
    }
    lost = [
        (state, attempt)
        for state in states
        if (attempt := ours.get(UUID(state.attempt_id)))
        and attempt.status == AttemptStatus.CAPTURED
        and state.refunded_minor > attempt.refund_promised_minor
    ]
    # What has become store credit stays at the provider.
    all_back = [a.pk for state, a in lost if _to_return(state) <= a.credited_minor]
    return LostWindow(
        provider=provider,
        strays=[
            state
            for state in states
            if _uuid(state.attempt_id) not in ours
            and state.reference not in kept | returned
            and state.status not in NOTHING_TO_RETURN
        ],
        refunded_orders=list(
            Order.objects.filter(status=OrderStatus.PAID, attempts__in=all_back).values_list(
                "pk", flat=True
            )
        ),
        lost_refunds={
            attempt.pk: state.refunded_minor - attempt.refund_promised_minor
            for state, attempt in lost
        },
    )


@transaction.atomic
def promise_to_settle(window: LostWindow) -> None:
    """Write the durable rows by which workers send strays back; cancel what was refunded.

    Refunds that the database has forgotten become rows again.
    """
    for attempt_id, minor in window.lost_refunds.items():
        remember_refund(
            attempt_id, amount_minor=minor, reason="Refunded before the database was restored."
        )
    StrayPayment.objects.bulk_create(
        [
            StrayPayment(
                provider=window.provider,
                reference=state.reference,
                attempt_id=UUID(state.attempt_id),
                amount_minor=state.amount_minor,
                currency=state.currency,
                next_action_at=Now(),
            )
            for state in window.strays
        ],
        ignore_conflicts=True,
    )
    for order_id in window.refunded_orders:
        try:
            cancel_order(
                holder=STORE,
                order_id=order_id,
                reason="Cancelled and refunded before the database was restored.",
            )
        except OrderStatusConflict:
            log.critical("A refunded order is being shipped.", extra={"order_id": order_id})


def advance_stray() -> bool:
    """Send the next due stray payment back. Returns False when none is due.

    It is over only when the provider's own state says so, so every step may be repeated.
    """
    stray = claim(StrayPayment)
    if stray is None:
        return False
    gateway = gateway_for(stray.provider)
    try:
        state = gateway.fetch(reference=stray.reference)
        fees.learn_of_stray(stray, state)
        if state.status in NOTHING_TO_RETURN or (state.captured_minor and not _to_return(state)):
            _close(stray, StrayStatus.RETURNED)
            return True
        if state.captured_minor:
            ledger.post_stray_capture(stray, amount_minor=_to_return(state))
            gateway.refund(
                refund_id=stray.pk, reference=stray.reference, amount_minor=_to_return(state)
            )
        elif state.status != PaymentStatus.PROCESSING:
            gateway.void(attempt_id=stray.attempt_id, reference=stray.reference)
    except OutcomeUnknown:
        due_after_failure(stray)
    except PaymentRefused as refusal:
        log.critical(
            "A stray payment cannot be sent back.",
            extra={"reference": stray.reference, "code": refusal.code},
        )
        _close(stray, StrayStatus.REFUSED, failure_code=refusal.code[:100])
    else:
        due_later(stray, after=LOOK_AGAIN)
    return True


def _beginning(provider: str) -> datetime | None:
    """Return since when the provider may know more: the last kept payment, or an open order's."""
    ours = PaymentAttempt.objects.filter(provider=provider)
    newest = ours.order_by("created_at").last()
    if newest is None:
        return None
    unshipped = ours.filter(order__status=OrderStatus.PAID).aggregate(at=Min("created_at"))["at"]
    lost = newest.created_at - LONGEST_TRANSACTION
    return min(lost, unshipped) if unshipped else lost


def _to_return(state: PaymentState) -> int:
    return state.captured_minor - state.refunded_minor


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@transaction.atomic
def _close(stray: StrayPayment, status: StrayStatus, *, failure_code: str = "") -> None:
    if status == StrayStatus.RETURNED:
        ledger.post_stray_return(stray)
    StrayPayment.objects.filter(pk=stray.pk).update(
        status=status, failure_code=failure_code, next_action_at=None, lease_until=None
    )
