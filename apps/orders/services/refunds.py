"""Returning money, all or a part of it: a durable row first, then the call, then the outcome."""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, VersionMismatch
from apps.kernel.ids import new_id
from apps.kernel.money import CurrencyMismatch, Money
from apps.kernel.work import claim, due_after_failure, due_later
from apps.orders.models import (
    Order,
    PaymentAttempt,
    Refund,
    Replacement,
    Return,
    ValueMovement,
)
from apps.orders.payments import gateway_for
from apps.orders.payments.gateway import OutcomeUnknown, PaymentRefused, RefundState
from apps.orders.payments.gateway import RefundStatus as RefundStatusThere
from apps.orders.selectors.exchanges import payer_of
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.orders import STORE, order_of
from apps.orders.selectors.refunds import GivenBack
from apps.orders.services import ledger, tenders
from apps.orders.services.return_steps import close_return_of
from apps.orders.services.transitions import locked
from apps.orders.services.value_movements import move_value, store_credit_of
from apps.orders.states import AttemptStatus, RefundStatus

log = logging.getLogger(__name__)

# As for payments: a key that the provider has forgotten would make a second refund.
KEY_IS_SAFE_FOR = timedelta(hours=20)
TRIES_BEFORE_LOOKING = 3
LOOK_AGAIN = timedelta(seconds=60)


class RefundExceedsCaptured(Conflict):
    """More was to be given back than is left of what was taken; `refundable` says how much is."""

    code = "refund_exceeds_captured"


class NothingToRefund(Invalid):
    """A refund is of something."""

    code = "nothing_to_refund"


class StoreCreditNeedsACustomer(Conflict):
    """A guest's order has nobody whose store credit it could be refunded to."""

    code = "store_credit_needs_a_customer"


@transaction.atomic
def refund_order(
    *,
    order_id: UUID,
    amount: Money,
    reason: str,
    version: int | None = None,
    to_store_credit: bool = False,
) -> GivenBack:
    """Give a part of an order's money back, or all that is left of it.

    The payment gets back what it has brought first, gift cards and store credit the rest; or all of
    it becomes the customer's store credit. Whatever the order's status: it does not change. Raises
    NothingToRefund, UnknownOrder, VersionMismatch, CurrencyMismatch, RefundExceedsCaptured,
    StoreCreditNeedsACustomer.
    """
    if amount.minor <= 0:
        raise NothingToRefund("Give back more than nothing.")
    order = locked(order_of(holder=STORE, order_id=order_id).pk)
    if version is not None and version != order.version:
        raise VersionMismatch("The order has changed since.", version=order.version)
    if amount.currency != order.currency:
        raise CurrencyMismatch(f"The order is in {order.currency}.")
    if to_store_credit and order.customer_id is None:
        raise StoreCreditNeedsACustomer("A guest has no store credit.")
    ledger.complete(order.pk)
    left = refundable_minor(order.pk)
    if amount.minor > left:
        raise RefundExceedsCaptured(
            "More than is left of what was taken.", refundable=Money(left, order.currency)
        )
    credit_of = order.customer_id if to_store_credit else None
    given = _given(order, amount.minor, reason=reason, credit_of=credit_of)
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
    return given


def refund_remaining(
    order: Order, *, reason: str, at_most: int | None = None, kept: int = 0
) -> GivenBack | None:
    """Give back what is left of a locked order's money and stored value, or a part of it.

    `kept` of it stays, for a replacement that the caller places. None when nothing goes back.
    """
    ledger.complete(order.pk)
    left = refundable_minor(order.pk) - kept
    minor = left if at_most is None else min(at_most, left)
    return _given(order, minor, reason=reason) if minor > 0 else None


def lock_balances(order: Order) -> None:
    """Lock what may get something back of a locked order.

    Whoever moves stock in the same transaction does it before, as a checkout does: then nobody
    waits in a circle.
    """
    if order.exchanged_minor:
        lock_balances(locked(payer_of(order.pk)))
    elif order.tendered_minor:
        tenders.lock_balances(order)


def _given(order: Order, minor: int, *, reason: str, credit_of: UUID | None = None) -> GivenBack:
    if order.exchanged_minor:
        return _given_by_payer(order, minor, reason=reason, credit_of=credit_of)
    attempt = order.attempts.filter(status=AttemptStatus.CAPTURED).first()
    of_payment = min(minor, attempt.left_minor) if attempt else 0
    if credit_of:
        if attempt and of_payment:
            _keep_of_payment(attempt, of_payment)
        return _credit(order, credit_of, minor, of_tenders=minor - of_payment, reason=reason)
    refund = None
    if attempt and of_payment:
        refund = promise_refund(attempt, amount_minor=of_payment, reason=reason)
    source_id = refund.pk if refund else new_id()
    if of_payment < minor:
        tenders.lock_balances(order)
    movements = [
        tenders.return_tender(
            tender,
            part,
            source_id=source_id,
            against=ledger.taken_back(order.pk, part),
            reason=reason,
        )
        for tender, part in tenders.parts_of(order, minor - of_payment)
    ]
    if movements:
        _record_value(order, minor - of_payment)
    return GivenBack(source_id, refund, movements)


def _given_by_payer(order: Order, minor: int, *, reason: str, credit_of: UUID | None) -> GivenBack:
    """Give back what pays for a replacement: it is money of the order whose goods came back."""
    replaced = Replacement.objects.filter(order=order)
    replaced.update(returned_minor=F("returned_minor") + minor)
    payer = locked(payer_of(order.pk))
    ledger.complete(payer.pk)
    given = _given(payer, minor, reason=reason, credit_of=credit_of)
    Order.objects.filter(pk=payer.pk).update(version=F("version") + 1)
    return given


def _keep_of_payment(attempt: PaymentAttempt, minor: int) -> None:
    """Count what cannot go back to it any more (attempt_gives_back_what_was_captured_once)."""
    PaymentAttempt.objects.filter(pk=attempt.pk).update(credited_minor=F("credited_minor") + minor)


def _credit(
    order: Order, customer_id: UUID, minor: int, *, of_tenders: int, reason: str
) -> GivenBack:
    """Let the customer have it as store credit."""
    for tender, part in tenders.parts_of(order, of_tenders):
        tenders.mark_returned(tender, part)
    source_id = new_id()
    movement = move_value(
        store_credit_of(customer_id, order.currency),
        ValueMovement.Kind.REFUND,
        minor,
        source_id=source_id,
        against=ledger.taken_back(order.pk, minor),
        order_id=order.pk,
        reason=reason,
    )
    _record_value(order, minor)
    return GivenBack(source_id, movements=[movement])


def _record_value(order: Order, minor: int) -> None:
    record(
        "orders.stored_value_given_back",
        about=order.pk,
        after={"amount_minor": minor, "currency": order.currency},
    )


def promise_refund(attempt: PaymentAttempt, *, amount_minor: int, reason: str) -> Refund:
    """Write the durable row that sends captured money back. The order is locked.

    The database refuses more than was captured (attempt_refunds_are_at_most_what_was_captured).
    """
    refund = Refund.objects.create(
        attempt=attempt,
        amount_minor=amount_minor,
        currency=attempt.currency,
        reason=reason[:200],
        next_action_at=Now(),
    )
    ledger.post_refund_promise(attempt.order_id, refund)
    record(
        "orders.refund_promised",
        about=attempt.order_id,
        after={"amount_minor": amount_minor, "currency": attempt.currency},
    )
    return refund


@transaction.atomic
def remember_refund(attempt_id: UUID, *, amount_minor: int, reason: str) -> None:
    """Write down money that has gone back at the provider, and of which no row is left here."""
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    order = locked(attempt.order_id)
    Refund.objects.create(
        attempt=attempt,
        amount_minor=amount_minor,
        currency=attempt.currency,
        reason=reason,
        status=RefundStatus.SUCCEEDED,
    )
    ledger.complete(order.pk)
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)


def advance_refund() -> bool:
    """Ask the provider for the next due refund. Returns False when none is due."""
    refund = claim(Refund)
    if refund is None:
        return False
    Refund.objects.filter(pk=refund.pk, status=RefundStatus.CREATED).update(
        status=RefundStatus.IN_FLIGHT
    )
    try:
        state = _sent(refund)
    except OutcomeUnknown:
        due_after_failure(refund)
    except PaymentRefused as refusal:
        _accept_refusal(refund, refusal)
    else:
        if state.status == RefundStatusThere.PENDING:
            Refund.objects.filter(pk=refund.pk).update(reference=state.reference)
            due_later(refund, after=LOOK_AGAIN)
        else:
            status = RefundStatus(state.status)
            _settle(refund, status, reference=state.reference, failure_code=state.failure_code)
    return True


def _sent(refund: Refund) -> RefundState:
    """Send the money, unless it is known, or has to be looked up, that it was sent before."""
    attempt = refund.attempt
    gateway = gateway_for(attempt.provider)
    forgotten = refund.created_at < timezone.now() - KEY_IS_SAFE_FOR
    if refund.reference or forgotten or refund.tries > TRIES_BEFORE_LOOKING:
        found = gateway.find_refund(refund_id=refund.pk, reference=attempt.reference)
        if found:
            return found
    return gateway.refund(
        refund_id=refund.pk, reference=attempt.reference, amount_minor=refund.amount_minor
    )


def _accept_refusal(refund: Refund, refusal: PaymentRefused) -> None:
    """It has failed, unless more has gone back at the provider than by all other refunds."""
    attempt = refund.attempt
    try:
        returned = gateway_for(attempt.provider).fetch(reference=attempt.reference)
    except (OutcomeUnknown, PaymentRefused):
        due_after_failure(refund)
        return
    sent = (RefundStatus.IN_FLIGHT, RefundStatus.SUCCEEDED)
    others = attempt.refunds.filter(status__in=sent).exclude(pk=refund.pk)
    by_others = others.aggregate(minor=Sum("amount_minor", default=0))["minor"]
    if returned.refunded_minor >= by_others + refund.amount_minor:
        status = RefundStatus.SUCCEEDED  # by a row that a restored database has forgotten
    else:
        status = RefundStatus.FAILED
        log.critical("A refund was refused.", extra={"refund_id": refund.pk, "code": refusal.code})
    _settle(refund, status, failure_code=refusal.code)


@transaction.atomic
def _settle(
    refund: Refund, status: RefundStatus, *, reference: str = "", failure_code: str = ""
) -> None:
    """Record and post once what became of a refund."""
    for order_id in Return.objects.filter(refund=refund.pk).values_list("order_id", flat=True):
        locked(order_id)  # a replacement's return is refunded by another order
    order = locked(refund.attempt.order_id)
    settled = Refund.objects.filter(pk=refund.pk, status=RefundStatus.IN_FLIGHT).update(
        status=status,
        reference=reference,
        failure_code=failure_code[:100],
        next_action_at=None,
        lease_until=None,
    )
    if not settled:
        return
    if status == RefundStatus.SUCCEEDED:
        ledger.post_refund(order.pk, refund)
        close_return_of(refund)
    else:
        ledger.post_refund_failure(order.pk, refund)
    Order.objects.filter(pk=order.pk).update(version=F("version") + 1)
