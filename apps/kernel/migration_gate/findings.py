"""What can be wrong with a migration under a running store, and how a migration owns up to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.migrations import Migration

# The attribute of a Migration that says why a finding is accepted: {"drops orders_order.note": why}
ACCEPTS = "accepts"


class Effect(StrEnum):
    """Whom the migration hurts."""

    BLOCKS = "blocks"
    """Requests wait for a time that grows with a table."""
    BREAKS = "breaks"
    """The release that still runs gets errors, or may."""
    STICKS = "sticks"
    """When it fails, it can be neither undone nor repeated."""
    UNEXPLAINED = "unexplained"
    """An exception from something that does not happen."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing; `code` is how a migration names it in `accepts`."""

    effect: Effect
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one migration."""

    migration: str
    refused: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, str], ...]


def verdict(
    migration: Migration, found: Iterable[Finding], *, alone: Iterable[Finding] = ()
) -> Verdict:
    """Return the findings, parted into those that the migration gives a reason for and the rest.

    `alone` is what there would be to find if the migration was a release of its own: a reason for
    that is not one too many.
    """
    reasons: Mapping[str, str] = getattr(migration, ACCEPTS, {})
    findings = list(dict.fromkeys(found))
    accepted = [each for each in findings if reasons.get(each.code, "").strip()]
    idle = reasons.keys() - {each.code for each in (*findings, *alone)}
    return Verdict(
        f"{migration.app_label}.{migration.name}",
        (
            *(each for each in findings if each not in accepted),
            *(
                Finding(Effect.UNEXPLAINED, code, "It is accepted, but does not happen.")
                for code in sorted(idle)
            ),
        ),
        tuple((each, reasons[each.code]) for each in accepted),
    )
