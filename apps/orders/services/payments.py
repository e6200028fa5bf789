"""Taking money: a durable row first, then the call, then what came of it.

No transaction is open while the provider is called, and a repeated call carries the same key, so
a crash at any point costs time, never money.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.kernel.work import claim, due_after_failure, due_later
from apps.orders.models import Order, PaymentAttempt, StrayPayment, WebhookEvent
from apps.orders.payments import gateway_for
from apps.orders.payments.gateway import (
    OutcomeUnknown,
    PaymentRefused,
    PaymentState,
    PaymentStatus,
)
from apps.orders.services import fees, ledger, tenders
from apps.orders.services.refunds import promise_refund
from apps.orders.services.transitions import locked, move
from apps.orders.services.uses import release_uses, take_again
from apps.orders.states import (
    ATTEMPT_FOLLOWS,
    FINISHED_ATTEMPTS,
    AttemptStatus,
    OrderStatus,
)

log = logging.getLogger(__name__)

# Providers forget idempotency keys after 24 hours; from then on a repeated call would be a new one.
KEY_IS_SAFE_FOR = timedelta(hours=20)
# A provider may repeat a failure under its key for ever; its list then tells what became of it.
TRIES_BEFORE_LOOKING = 3
POLL_SHOPPER = timedelta(seconds=60)
POLL_PROVIDER = timedelta(seconds=5)
# What can only be learnt from the provider; the rest repeats what our own calls were told.
TELLING = frozenset(
    {
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
    }
)
UNMATCHED_FOR = timedelta(hours=72)
WAITS_FOR_MONEY = (OrderStatus.PENDING_PAYMENT, OrderStatus.EXPIRED)

REPORTED = {
    PaymentStatus.REQUIRES_ACTION: AttemptStatus.REQUIRES_ACTION,
    PaymentStatus.AUTHORISED: AttemptStatus.AUTHORISED,
    PaymentStatus.CAPTURED: AttemptStatus.CAPTURED,
    PaymentStatus.FAILED: AttemptStatus.FAILED,
    PaymentStatus.VOIDED: AttemptStatus.VOIDED,
}


def advance_payment() -> bool:
    """Take the next due payment attempt one step on. Returns False when none is due."""
    attempt = claim(PaymentAttempt)
    if attempt is None:
        return False
    step = _decide(attempt.pk)
    if step in FINISHED_ATTEMPTS:
        return True
    attempt.refresh_from_db()
    try:
        state = _call(attempt, step)
    except OutcomeUnknown:
        log.warning("A payment call has no known outcome.", extra={"attempt_id": attempt.pk})
        due_after_failure(attempt)
    except PaymentRefused as refusal:
        _accept_refusal(attempt, step, refusal)
    else:
        if state is None:
            _fail(attempt.pk, "never_reached_the_provider")
        elif not settle(attempt.pk, state):
            _not_yet(attempt)
    return True


@transaction.atomic
def settle(attempt_id: UUID, state: PaymentState) -> bool:
    """Record what the provider says of an attempt. Returns False for what is no news.

    Captured money makes a waiting order paid, also one that has expired if its stock is still free.
    Otherwise, and if the order was cancelled, the money goes back. Money that is not what was asked
    for is never taken for a payment.
    """
    order_id = PaymentAttempt.objects.values_list("order_id", flat=True).get(pk=attempt_id)
    order = locked(order_id)
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    if not _is_what_was_asked_for(attempt, state):
        log.critical(
            "The provider reports another amount than was asked for.",
            extra={"attempt_id": attempt_id, "reference": state.reference},
        )
        return False
    target = REPORTED.get(state.status)
    if target is None or target not in ATTEMPT_FOLLOWS[AttemptStatus(attempt.status)]:
        fees.learn(attempt, state)
        return False
    attempt.status = target
    attempt.reference = state.reference
    attempt.next_action = state.next_action
    attempt.failure_code = state.failure_code[:100]
    attempt.lease_until = None
    attempt.tries = 0
    match target:
        case AttemptStatus.REQUIRES_ACTION:
            attempt.next_action_at = timezone.now() + POLL_SHOPPER
        case AttemptStatus.AUTHORISED:
            attempt.next_action_at = timezone.now()
        case _:
            attempt.next_action_at = None
    attempt.save()
    match target:
        case AttemptStatus.CAPTURED:
            _take_the_money(order, attempt)
            fees.learn(attempt, state)
            return True
        case AttemptStatus.AUTHORISED:
            ledger.post_authorisation(attempt)
        case AttemptStatus.FAILED | AttemptStatus.VOIDED:
            ledger.post_void(attempt)
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
    return True


def store_webhook(*, provider: str, body: bytes, signature: str) -> None:
    """Keep a provider's message once; a worker looks into what may be news. Raises BadSignature."""
    notice = gateway_for(provider).read_webhook(body=body, signature=signature)
    telling = notice.reference and notice.type in TELLING
    waiting, ignored = WebhookEvent.Outcome.WAITING, WebhookEvent.Outcome.IGNORED
    WebhookEvent.objects.bulk_create(
        [
            WebhookEvent(
                provider=provider,
                event_id=notice.event_id,
                type=notice.type[:100],
                reference=notice.reference,
                payload=notice.payload,
                outcome=waiting if telling else ignored,
                next_action_at=Now() if telling else None,
            )
        ],
        ignore_conflicts=True,
    )


def process_webhook() -> bool:
    """Look into the next due message: ask the provider and settle. Returns False if none is due."""
    event = claim(WebhookEvent)
    if event is None:
        return False
    if _is_old_news(event):
        _close(event, WebhookEvent.Outcome.APPLIED)
        return True
    try:
        state = gateway_for(event.provider).fetch(reference=event.reference)
    except OutcomeUnknown:
        due_after_failure(event)
        return True
    except PaymentRefused:
        state = None
    attempt_id = _attempt_id_of(state) if state else None
    if state and attempt_id:
        settle(attempt_id, state)
        _close(event, WebhookEvent.Outcome.APPLIED)
    elif event.received_at < timezone.now() - UNMATCHED_FOR:
        log.critical("A provider's message fits no payment.", extra={"event_id": event.event_id})
        _close(event, WebhookEvent.Outcome.UNMATCHED)
    else:
        due_after_failure(event)
    return True


def wake_payments(order: Order) -> None:
    """Let a worker look at an order's open attempts now: the order no longer wants the money."""
    order.attempts.exclude(status__in=FINISHED_ATTEMPTS).update(next_action_at=Now())


@transaction.atomic
def _decide(attempt_id: UUID) -> AttemptStatus:
    """Choose the next step by what the order wants now, and write it down before it is taken."""
    order_id = PaymentAttempt.objects.values_list("order_id", flat=True).get(pk=attempt_id)
    order = locked(order_id)
    wanted = order.status == OrderStatus.PENDING_PAYMENT
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    status = AttemptStatus(attempt.status)
    match status:
        case AttemptStatus.CREATED:
            step = AttemptStatus.IN_FLIGHT if wanted else AttemptStatus.VOIDED
        case AttemptStatus.REQUIRES_ACTION:
            step = status if wanted else AttemptStatus.VOID_IN_FLIGHT
        case AttemptStatus.AUTHORISED:
            if wanted and not _holds_stock(order):
                wanted = False
                move(order, OrderStatus.EXPIRED, reason="It was sold out before it was paid.")
            step = AttemptStatus.CAPTURE_IN_FLIGHT if wanted else AttemptStatus.VOID_IN_FLIGHT
        case _:
            step = status
    if step in FINISHED_ATTEMPTS:
        PaymentAttempt.objects.filter(pk=attempt_id).update(
            status=step, next_action_at=None, lease_until=None
        )
    elif step != status:
        PaymentAttempt.objects.filter(pk=attempt_id).update(status=step)
    return step


def _call(attempt: PaymentAttempt, step: AttemptStatus) -> PaymentState | None:
    gateway = gateway_for(attempt.provider)
    match step:
        case AttemptStatus.IN_FLIGHT:
            forgotten = attempt.created_at < timezone.now() - KEY_IS_SAFE_FOR
            if forgotten or attempt.tries > TRIES_BEFORE_LOOKING:
                found = gateway.find(attempt_id=attempt.pk, since=attempt.created_at)
                if found or forgotten:
                    return found
            return gateway.authorise(
                attempt_id=attempt.pk,
                amount_minor=attempt.amount_minor,
                currency=attempt.currency,
                method=attempt.method,
                description=f"Order {attempt.order.shown_number}",
                return_url=settings.PUBLIC_URL,
                metadata={"order_id": str(attempt.order_id)},
            )
        case AttemptStatus.CAPTURE_IN_FLIGHT:
            return gateway.capture(
                attempt_id=attempt.pk,
                reference=attempt.reference,
                amount_minor=attempt.amount_minor,
            )
        case AttemptStatus.VOID_IN_FLIGHT:
            return gateway.void(attempt_id=attempt.pk, reference=attempt.reference)
        case _:
            return gateway.fetch(reference=attempt.reference)


def _take_the_money(order: Order, attempt: PaymentAttempt) -> None:
    # An order without an address is one whose customer has been erased.
    payable = order.status in WAITS_FOR_MONEY and order.shipping_address
    sold = bool(payable and _takes_again(order, attempt) and _holds_stock(order))
    # Money may come at once, without a word that it was set aside.
    ledger.post_authorisation(attempt)
    ledger.post_capture(order, attempt, sold=sold)
    if sold:
        catalog.allocate(order_id=order.pk)
        move(order, OrderStatus.PAID)
        return
    if order.status == OrderStatus.PENDING_PAYMENT:
        move(order, OrderStatus.EXPIRED, reason="It was sold out when the money came.")
    release_uses(order)
    tenders.give_all_back(order, source_id=attempt.pk)
    reason = f"The order was {order.status} when the money came."
    promise_refund(attempt, amount_minor=attempt.amount_minor, reason=reason)


def _takes_again(order: Order, attempt: PaymentAttempt) -> bool:
    """Take promotions and stored value that an expired order has given back, if they are there."""
    return take_again(order) and tenders.take_again(order, source_id=attempt.pk)


def _holds_stock(order: Order) -> bool:
    """Hold the locked order's stock without an end; if its time was over, reserve it again."""
    if catalog.keep(order_id=order.pk):
        return True
    try:
        with transaction.atomic():  # what is sold out is not locked any more
            catalog.reserve(
                order_id=order.pk,
                quantities=order.lines.values_list("variant_id", "quantity"),
            )
    except catalog.OutOfStock:
        return False
    return True


def _fail(attempt_id: UUID, code: str) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id, status=AttemptStatus.IN_FLIGHT).update(
        status=AttemptStatus.FAILED, failure_code=code[:100], next_action_at=None, lease_until=None
    )


def _accept_refusal(attempt: PaymentAttempt, step: AttemptStatus, refusal: PaymentRefused) -> None:
    """A declined card ends the attempt; otherwise what is true at the provider decides."""
    state = refusal.state
    log.warning(
        "A payment call was refused.",
        extra={"attempt_id": attempt.pk, "step": step, "code": refusal.code},
    )
    if state is None and step == AttemptStatus.IN_FLIGHT:
        _fail(attempt.pk, refusal.code)
        return
    try:
        state = state or gateway_for(attempt.provider).fetch(reference=attempt.reference)
    except (OutcomeUnknown, PaymentRefused):
        due_after_failure(attempt)
        return
    if not settle(attempt.pk, state):
        _not_yet(attempt)


def _not_yet(attempt: PaymentAttempt) -> None:
    """Nothing new: look again, every minute while it is the shopper we wait for."""
    waiting = attempt.status == AttemptStatus.REQUIRES_ACTION
    due_later(attempt, after=POLL_SHOPPER if waiting else POLL_PROVIDER)


def _is_what_was_asked_for(attempt: PaymentAttempt, state: PaymentState) -> bool:
    same = (state.amount_minor, state.currency) == (attempt.amount_minor, attempt.currency)
    complete = (
        state.status != PaymentStatus.CAPTURED or state.captured_minor == attempt.amount_minor
    )
    return same and complete


def _is_old_news(event: WebhookEvent) -> bool:
    """Tell whether what the message is about is over, or on its way back, anyway."""
    about = {"provider": event.provider, "reference": event.reference}
    return (
        PaymentAttempt.objects.filter(**about, status__in=FINISHED_ATTEMPTS).exists()
        or StrayPayment.objects.filter(**about).exists()
    )


def _attempt_id_of(state: PaymentState) -> UUID | None:
    try:
        attempt_id = UUID(state.attempt_id)
    except ValueError:
        return None
    return attempt_id if PaymentAttempt.objects.filter(pk=attempt_id).exists() else None


def _close(event: WebhookEvent, outcome: WebhookEvent.Outcome) -> None:
    WebhookEvent.objects.filter(pk=event.pk).update(
        outcome=outcome, next_action_at=None, lease_until=None
    )
