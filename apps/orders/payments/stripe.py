"""The one adapter to Stripe, by the official SDK; the sandbox is Stripe at another address."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

import stripe
from django.conf import settings

from apps.orders.payments.gateway import (
    BadSignature,
    Fee,
    Gateway,
    OutcomeUnknown,
    PaymentRefused,
    PaymentState,
    PaymentStatus,
    RefundState,
    RefundStatus,
    WebhookNotice,
)

TIMEOUTS: Final = (1.0, 8.0)
TOLERANCE: Final = 300
CLOCK_SKEW: Final = timedelta(minutes=5)
# Stripe counts these in other units than ISO 4217 does (docs.stripe.com/currencies): an amount
# would be taken a hundredfold, or a hundredth of it.
NOT_IN_MINOR_UNITS: Final = frozenset({"ISK", "MGA", "UGX"})

_STATUSES: Final = {
    "requires_payment_method": PaymentStatus.FAILED,
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "requires_capture": PaymentStatus.AUTHORISED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.VOIDED,
}
_REFUND_STATUSES: Final = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
# The charge tells what was refunded, and its balance transaction the fee; no further call.
_WHOLE: Final = ["latest_charge"]
_WITH_FEE: Final = ["latest_charge.balance_transaction"]


def gateway() -> Gateway:
    """Return the gateway that the settings describe; the same one while they stay the same."""
    return _gateway(
        settings.STRIPE_SECRET_KEY,
        tuple(settings.STRIPE_WEBHOOK_SECRETS),
        settings.STRIPE_API_BASE,
    )


@cache
def _gateway(secret_key: str, webhook_secrets: tuple[str, ...], api_base: str) -> Gateway:
    return StripeGateway(secret_key=secret_key, webhook_secrets=webhook_secrets, api_base=api_base)


class StripeGateway:
    """Stripe as a Gateway. Thread-safe; one connection pool per thread.

    `webhook_secrets` are all accepted, so that a secret can be replaced without losing a webhook;
    an empty `api_base` means Stripe itself.
    """

    def __init__(
        self,
        *,
        secret_key: str,
        webhook_secrets: Sequence[str],
        api_base: str = "",
        timeouts: tuple[float, float] = TIMEOUTS,
    ) -> None:
        self._webhook_secrets = list(webhook_secrets)
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base} if api_base else None,
            http_client=stripe.RequestsClient(timeout=timeouts),
            # The caller repeats, by a durable row, and never within one call.
            max_network_retries=0,
        )
        self._intents = client.v1.payment_intents
        self._refunds = client.v1.refunds

    def authorise(
        self,
        *,
        attempt_id: UUID,
        amount_minor: int,
        currency: str,
        method: str,
        description: str,
        return_url: str,
        metadata: Mapping[str, str],
    ) -> PaymentState:
        """Set the amount aside; a declined card is PaymentRefused with the failed payment.

        Without a method the shopper confirms the payment at Stripe by its client secret.
        """
        if currency in NOT_IN_MINOR_UNITS:
            raise PaymentRefused("currency_not_supported", f"No payments in {currency}.")
        confirmation: dict[str, Any] = (
            {"payment_method": method, "confirm": True, "return_url": return_url} if method else {}
        )
        with _refusals():
            intent = self._intents.create(
                {
                    "amount": amount_minor,
                    "currency": currency.lower(),
                    "allowed_payment_method_types": ["card"],
                    "capture_method": "manual",
                    "description": description,
                    "metadata": {**metadata, "attempt_id": str(attempt_id)},
                    "expand": _WHOLE,
                    **confirmation,  # type: ignore[typeddict-item]  # the SDK's keys, some of them
                },
                {"idempotency_key": f"{attempt_id}:authorise"},
            )
        return _state(intent)

    def capture(self, *, attempt_id: UUID, reference: str, amount_minor: int) -> PaymentState:
        """Take the authorised money; refused with the payment's state if it cannot be taken."""
        with _refusals():
            intent = self._intents.capture(
                reference,
                {"amount_to_capture": amount_minor, "expand": _WITH_FEE},
                # Not the key of releases that asked for no fee: Stripe refuses one that comes with
                # other parameters. Captured under both is captured once, the second is refused.
                {"idempotency_key": f"{attempt_id}:capture-with-fee"},
            )
        return _state(intent)

    def void(self, *, attempt_id: UUID, reference: str) -> PaymentState:
        """Release the authorised money; refused with the payment's state once it was captured."""
        with _refusals():
            intent = self._intents.cancel(
                reference,
                {"expand": _WHOLE},
                {"idempotency_key": f"{attempt_id}:void"},
            )
        return _state(intent)

    def refund(self, *, refund_id: UUID, reference: str, amount_minor: int) -> RefundState:
        """Give captured money back; more than is left is refused."""
        with _refusals():
            refund = self._refunds.create(
                {
                    "payment_intent": reference,
                    "amount": amount_minor,
                    "metadata": {"refund_id": str(refund_id)},
                },
                {"idempotency_key": f"{refund_id}:refund"},
            )
        return _refund_state(refund)

    def find_refund(self, *, refund_id: UUID, reference: str) -> RefundState | None:
        """Look for the refund in the payment's list, which knows a refund at once."""
        with _refusals():
            page = self._refunds.list({"payment_intent": reference, "limit": 100})
            for refund in page.auto_paging_iter():
                if _fields(refund.metadata).get("refund_id") == str(refund_id):
                    return _refund_state(refund)
        return None

    def fetch(self, *, reference: str) -> PaymentState:
        """Return the payment as it is now."""
        with _refusals():
            return _state(self._intents.retrieve(reference, {"expand": _WITH_FEE}))

    def find(self, *, attempt_id: UUID, since: datetime) -> PaymentState | None:
        """Look for the attempt in Stripe's list, which knows a payment at once.

        Stripe's search would be shorter and is up to a minute behind.
        """
        for state in self.states(since=since):
            if state.attempt_id == str(attempt_id):
                return state
        return None

    def states(self, *, since: datetime) -> Iterator[PaymentState]:
        """Yield every payment made since then, newest first, a hundred a call."""
        begin = int((since - CLOCK_SKEW).timestamp())
        with _refusals():
            page = self._intents.list(
                {
                    "created": {"gte": begin},
                    "limit": 100,
                    "expand": [f"data.{each}" for each in _WITH_FEE],
                }
            )
            for intent in page.auto_paging_iter():
                yield _state(intent)

    def read_webhook(self, *, body: bytes, signature: str) -> WebhookNotice:
        """Return what a webhook says. Raises: BadSignature, also for a body without sense."""
        if not any(_is_signed(body, signature, secret) for secret in self._webhook_secrets):
            raise BadSignature("The webhook is not signed with a secret of ours, or too old.")
        try:
            event = json.loads(body)
            subject = event["data"]["object"]
            is_payment = subject["object"] == "payment_intent"
            reference = subject["id"] if is_payment else subject.get("payment_intent")
            return WebhookNotice(
                event_id=event["id"],
                type=event["type"],
                reference=reference or "",
                created_at=datetime.fromtimestamp(event["created"], UTC),
                payload=event,
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise BadSignature("The webhook is signed and is not an event.") from error


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn the SDK's errors into the two kinds that the store knows.

    What is our own mistake (a wrong key, a reused id) counts as unknown: a payment must not fail
    for it, and nothing is lost by asking again once it is repaired.
    """
    try:
        yield
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        raise PaymentRefused(
            code=error.code or "invalid_request",
            detail=error.user_message or "",
            state=_left_behind(error),
        ) from error
    except stripe.StripeError as error:
        raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error


def _left_behind(error: stripe.StripeError) -> PaymentState | None:
    intent = getattr(error.error, "payment_intent", None)
    return _state(intent) if isinstance(intent, stripe.PaymentIntent) else None


def _state(intent: stripe.PaymentIntent) -> PaymentState:
    failure = _fields(intent.last_payment_error)
    charge = intent.latest_charge
    return PaymentState(
        reference=intent.id,
        status=_status(intent),
        amount_minor=intent.amount,
        captured_minor=intent.amount_received,
        refunded_minor=charge.amount_refunded if isinstance(charge, stripe.Charge) else 0,
        currency=intent.currency.upper(),
        next_action=_next_action(intent),
        failure_code=failure.get("code") or "",
        failure_detail=failure.get("message") or "",
        attempt_id=_fields(intent.metadata).get("attempt_id", ""),
        fee=_fee(charge),
    )


def _fee(charge: object) -> Fee | None:
    """Return the fee that stands beside a charge. It is in the currency of the account."""
    beside = charge.balance_transaction if isinstance(charge, stripe.Charge) else None
    if not isinstance(beside, stripe.BalanceTransaction):
        return None
    return Fee(beside.fee, beside.currency.upper())


def _refund_state(refund: stripe.Refund) -> RefundState:
    return RefundState(
        reference=refund.id,
        status=_REFUND_STATUSES.get(refund.status or "", RefundStatus.PENDING),
        amount_minor=refund.amount,
        currency=refund.currency.upper(),
        failure_code=getattr(refund, "failure_reason", None) or "",
    )


def _status(intent: stripe.PaymentIntent) -> PaymentStatus:
    if intent.status == "requires_payment_method" and intent.last_payment_error is None:
        return PaymentStatus.REQUIRES_ACTION
    # A status that is not listed is not final, also one that Stripe has yet to invent.
    return _STATUSES.get(intent.status, PaymentStatus.PROCESSING)


def _next_action(intent: stripe.PaymentIntent) -> dict[str, str] | None:
    if intent.status == "requires_payment_method" and intent.last_payment_error is None:
        return {"type": "provide_payment_method", "client_secret": intent.client_secret or ""}
    if intent.next_action is None:
        return None
    redirect = _fields(intent.next_action).get("redirect_to_url") or {}
    return {"type": intent.next_action.type, "redirect_url": redirect.get("url") or ""}


def _fields(part: stripe.StripeObject | None) -> dict[str, Any]:
    """Return a part as a dictionary; the SDK raises for a field that Stripe has left out."""
    return part.to_dict() if part else {}


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        # The SDK lets through what it stumbles over: bytes and headers that are not text.
        return False
    return True
