"""What may go wrong on purpose, decided by a seed."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ecommerce.local.payment_sandbox.refusals import invalid

SHUFFLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The faults in force. Everything at rest is the default; rates are between 0 and 1.

    drop_reply_rate: the request is carried out, the connection is closed without an answer.
    error_rate: the request is carried out, the answer is a 500, saved under its key like any other.
    delay_ms: time from receiving a request to carrying it out.
    webhook_duplicate: further copies of every webhook.
    webhook_delay_ms: time from an event to its first delivery.
    webhook_loss_rate: events that are never delivered, though they are listed.
    webhook_shuffle: deliver out of order, within two seconds.
    bad_signature_rate: deliveries signed with a wrong secret; refused, they are tried again.
    fee_delay_ms: time from a capture to the moment when its fee is known, up to the next second.
    """

    drop_reply_rate: float = 0.0
    error_rate: float = 0.0
    delay_ms: int = 0
    webhook_duplicate: int = 0
    webhook_delay_ms: int = 0
    webhook_loss_rate: float = 0.0
    webhook_shuffle: bool = False
    bad_signature_rate: float = 0.0
    fee_delay_ms: int = 0
    seed: int = 0

    @classmethod
    def read(cls, given: object) -> "Plan":
        """Return the plan as sent by a test; what is left out is at rest.

        Raises: Refusal, when a field is unknown or its value makes no sense.
        """
        if not isinstance(given, Mapping):
            raise invalid("The fault plan must be a JSON object.")
        known = {field.name for field in fields(cls)}
        for name, value in given.items():
            if name not in known:
                raise invalid(f"Received unknown parameter: {str(name)[:200]}")
            if not _sensible(name, value):
                raise invalid(f"Invalid value of {name}.", param=name)
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as it is shown and stored."""
        return asdict(self)


def _sensible(name: str, value: object) -> bool:
    if name == "webhook_shuffle" or isinstance(value, bool):
        return name == "webhook_shuffle" and isinstance(value, bool)
    if name == "seed":
        return isinstance(value, int)
    if not isinstance(value, int | float) or value < 0:
        return False
    if name.endswith("_rate"):
        return value <= 1
    return isinstance(value, int) and value <= (100 if name == "webhook_duplicate" else 600_000)


def _choices(plan: Plan, of: str) -> random.Random:
    return random.Random(f"{plan.seed}:{of}")  # noqa: S311 - repeatable, guards nothing


class Faults:
    """A plan at work. The same seed makes the same choices, request by request."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._requests = _choices(plan, "requests")
        self._events = _choices(plan, "events")
        self._signatures = _choices(plan, "signatures")

    def next_request(self) -> tuple[bool, bool]:
        """Return whether to drop the next answer, and whether to make it an error."""
        drop, error = self._requests.random(), self._requests.random()
        return drop < self.plan.drop_reply_rate, error < self.plan.error_rate

    def next_event(self) -> list[float]:
        """Return after how many seconds each copy of the next webhook is due."""
        lost = self._events.random() < self.plan.webhook_loss_rate
        copies = 0 if lost else 1 + self.plan.webhook_duplicate
        spread = SHUFFLE_SECONDS if self.plan.webhook_shuffle else 0.0
        delay = self.plan.webhook_delay_ms / 1000
        return [delay + spread * self._events.random() for _ in range(copies)]

    def next_signature_is_bad(self) -> bool:
        """Return whether to sign the next delivery with a wrong secret."""
        return self._signatures.random() < self.plan.bad_signature_rate
