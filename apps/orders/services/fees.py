"""What payment providers keep for themselves: asked for until it is known, then posted once.

The row that a fee is asked for comes from a trigger, with the capture. Mostly the answer to the
capture tells it, in the same transaction; otherwise a worker asks.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from apps.kernel.work import claim
from apps.orders.models import (
    LedgerAccount,
    LedgerPosting,
    PaymentAttempt,
    PaymentFee,
    StrayPayment,
)
from apps.orders.payments import gateway_for
from apps.orders.payments.gateway import OutcomeUnknown, PaymentRefused, PaymentState
from apps.orders.services.ledger import MONEY_AT
from apps.orders.services.postings import post
from apps.orders.services.transitions import locked

log = logging.getLogger(__name__)

ASK_AGAIN = timedelta(minutes=1)
SLOWEST = timedelta(hours=12)


def learn(attempt: PaymentAttempt, state: PaymentState) -> bool:
    """Write down and post the fee of a captured payment, if the provider tells it and it is news.

    Whoever calls holds the order's lock. A fee of nothing is known, and posts nothing. Of a payment
    that is not captured nothing is asked for, so nothing is learnt.
    """
    if state.fee is None:
        return False
    asked_for = PaymentFee.objects.filter(attempt=attempt, amount_minor=None)
    news = asked_for.update(
        amount_minor=state.fee.amount_minor,
        currency=state.fee.currency,
        next_action_at=None,
        lease_until=None,
    )
    if news:
        post(
            LedgerPosting.Kind.FEE,
            attempt.pk,
            _kept(attempt.provider, state.fee.amount_minor),
            order_id=attempt.order_id,
            currency=state.fee.currency,
        )
    return bool(news)


def learn_of_stray(stray: StrayPayment, state: PaymentState) -> None:
    """Post the fee of money that belongs to no order that we know, if the provider tells it."""
    if state.fee is not None:
        post(
            LedgerPosting.Kind.FEE,
            stray.pk,
            _kept(stray.provider, state.fee.amount_minor),
            order_id=None,
            currency=state.fee.currency,
        )


def advance_fee() -> bool:
    """Ask for the next fee that is due. Returns False when none is due."""
    fee = claim(PaymentFee)
    if fee is None:
        return False
    attempt = fee.attempt
    try:
        state = gateway_for(attempt.provider).fetch(reference=attempt.reference)
    except (OutcomeUnknown, PaymentRefused):
        log.warning("A fee is not told.", extra={"attempt_id": attempt.pk})
    else:
        with transaction.atomic():
            locked(attempt.order_id)
            learn(attempt, state)
    wait = min(ASK_AGAIN * 2 ** min(fee.tries, 12), SLOWEST)
    # Not one that has been told meanwhile, by whomever.
    still_unknown = PaymentFee.objects.filter(pk=fee.pk, amount_minor=None)
    still_unknown.update(lease_until=None, next_action_at=Now() + wait)
    return True


def _kept(provider: str, minor: int) -> dict[LedgerAccount, int]:
    return {LedgerAccount.FEES: minor, MONEY_AT[provider]: -minor}
