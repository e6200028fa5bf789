"""The refusals of the business. Everything else that is raised is a bug.

DomainError
├── NotFound             there is no such thing, or it is not yours to see
├── Invalid              the request makes no sense, however often it is repeated
├── Conflict             it made sense, but the world is in another state
│   └── VersionMismatch  the caller has seen an older version
├── Forbidden            you may see it, but not do this
│   └── StepUpRequired   you may do this, once you have proven again who you are
├── Unproven             nobody believes who you say you are
└── TooMany              you have to wait; the fact `retry_after` says how many seconds
"""

from typing import ClassVar


class DomainError(Exception):
    """One refusal: `code` for programs, `detail` for people, `facts` for both."""

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class NotFound(DomainError):
    """There is no such thing, or it is not the caller's to see."""

    code = "not_found"


class Invalid(DomainError):
    """The request makes no sense, however often it is repeated."""

    code = "invalid"


class Conflict(DomainError):
    """The request made sense, but the world is in another state."""

    code = "conflict"


class VersionMismatch(Conflict):
    """The caller has seen an older version of what it wants to change."""

    code = "version_mismatch"


class Forbidden(DomainError):
    """The caller may see it, but not do this."""

    code = "forbidden"


class StepUpRequired(Forbidden):
    """This is dangerous: prove who you are once more (`POST /auth/step-up`), then repeat it."""

    code = "step_up_required"


class Unproven(DomainError):
    """Who the caller says it is has not been proven."""

    code = "unproven"


class TooMany(DomainError):
    """The caller has to wait; the fact `retry_after` says how many seconds."""

    code = "too_many"
