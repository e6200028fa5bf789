"""How the sandbox says no: Stripe's error envelope."""

from typing import Any


class Refusal(Exception):
    """One answer that is not a success.

    `executed` tells whether the request got as far as being carried out: only then is its answer
    saved under the idempotency key, as Stripe documents it.
    """

    def __init__(
        self, status: int, kind: str, message: str, *, executed: bool = False, **facts: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.facts = {name: fact for name, fact in facts.items() if fact is not None}
        self.error: dict[str, Any] = {"type": kind, "message": message, **self.facts}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Refusal:
    """Return the refusal of a request that could not be understood."""
    return Refusal(400, "invalid_request_error", message, param=param, code=code)


def impossible(message: str, *, code: str | None = None, **facts: Any) -> Refusal:
    """Return the refusal of a request that was understood and cannot be done."""
    return Refusal(400, "invalid_request_error", message, executed=True, code=code, **facts)


def missing(noun: str, identifier: str, *, param: str, status: int = 404) -> Refusal:
    """Return the refusal for an object that does not exist: 404 in the address, 400 in a field."""
    return Refusal(
        status,
        "invalid_request_error",
        f"No such {noun}: '{identifier}'",
        code="resource_missing",
        param=param,
    )


def breakdown() -> Refusal:
    """Return the answer of a provider that failed on its own side."""
    return Refusal(500, "api_error", "An unexpected error occurred in the payment sandbox.")
