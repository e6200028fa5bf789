"""What the store asks of a payment provider, and the answers it understands; pure.

Whoever calls repeats a call whose outcome is unknown with the same ids: the provider does
everything at most once for an id. An answer that is repeated may be older than the truth, so ask
`fetch` after an `authorise` that was tried before. Some providers repeat even a failure for ever:
when repeating does not help, `find` tells what became of an attempt.

    OutcomeUnknown      the call may or may not have had its effect: repeat it
    PaymentRefused      the provider has said a final no
    BadSignature        a webhook that the provider did not send
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class PaymentStatus(StrEnum):
    """How far a payment has come, as the provider sees it."""

    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    VOIDED = "voided"


class RefundStatus(StrEnum):
    """How far a refund has come."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Fee:
    """What the provider keeps of a payment, in the currency that it settles in."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentState:
    """One payment at the provider. Amounts are in minor units, the currency in upper case."""

    reference: str
    status: PaymentStatus
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    next_action: dict[str, str] | None
    failure_code: str
    failure_detail: str
    attempt_id: str
    # Known from the capture on, or some time later.
    fee: Fee | None = None


@dataclass(frozen=True, slots=True)
class RefundState:
    """One refund at the provider."""

    reference: str
    status: RefundStatus
    amount_minor: int
    currency: str
    failure_code: str


@dataclass(frozen=True, slots=True)
class WebhookNotice:
    """A hint from the provider that something happened. `reference` is empty if no payment did."""

    event_id: str
    type: str
    reference: str
    created_at: datetime
    payload: dict[str, Any]


class OutcomeUnknown(Exception):
    """The call may or may not have had its effect; repeat it with the same ids."""


class PaymentRefused(Exception):
    """The provider has said a final no; `state` is the payment as it left it, where known."""

    def __init__(self, code: str, detail: str, state: PaymentState | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.state = state


class BadSignature(Exception):
    """The webhook is not from the provider, too old, or not readable."""


class Gateway(Protocol):
    """A payment provider. Every method but `read_webhook` raises OutcomeUnknown or PaymentRefused.

    None of them may be called inside a database transaction.
    """

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
        """Set the amount aside on the shopper's payment method; without one, ask the shopper."""
        ...

    def capture(self, *, attempt_id: UUID, reference: str, amount_minor: int) -> PaymentState:
        """Take the authorised money, or a part of it; what is left is released."""
        ...

    def void(self, *, attempt_id: UUID, reference: str) -> PaymentState:
        """Release the authorised money."""
        ...

    def refund(self, *, refund_id: UUID, reference: str, amount_minor: int) -> RefundState:
        """Give captured money back."""
        ...

    def find_refund(self, *, refund_id: UUID, reference: str) -> RefundState | None:
        """Return the refund of a payment as it is now, or None when it was never made."""
        ...

    def fetch(self, *, reference: str) -> PaymentState:
        """Return the payment as it is now."""
        ...

    def find(self, *, attempt_id: UUID, since: datetime) -> PaymentState | None:
        """Return the payment of an attempt made since then, or None when there is none."""
        ...

    def states(self, *, since: datetime) -> Iterator[PaymentState]:
        """Yield every payment made since then."""
        ...

    def read_webhook(self, *, body: bytes, signature: str) -> WebhookNotice:
        """Return what a webhook says. Raises: BadSignature."""
        ...
