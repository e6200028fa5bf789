"""Guards in the database that no admin, shell or new code can step around."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

import pgtrigger
from django.db.models import CheckConstraint, Q

Status = TypeVar("Status", bound=StrEnum)


def life(follows: Mapping[Status, Iterable[Status]], *, name: str) -> pgtrigger.FSM:
    """Return the trigger that refuses every change of `status` that the table does not have."""
    return pgtrigger.FSM(
        name=name,
        field="status",
        transitions=sorted((str(a), str(b)) for a, after in follows.items() for b in after),
    )


def known_status(statuses: type[StrEnum], *, name: str) -> CheckConstraint:
    """Return the constraint that `status` is one of them."""
    return CheckConstraint(condition=Q(status__in=[str(s) for s in statuses]), name=name)


def append_only(*, name: str) -> pgtrigger.Protect:
    """Return the trigger that refuses to change or delete a row once it is written."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)
