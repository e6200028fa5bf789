"""What customers write is read before it is shown: moderation of reviews, questions and answers."""

from typing import Any, TypeVar

from django.db.models import F

from apps.catalog.models.contributions import Contribution
from apps.kernel.audit import record
from apps.kernel.errors import Invalid, NotFound, VersionMismatch

Status = Contribution.Status
Row = TypeVar("Row", bound=Contribution)


class ReasonMissing(Invalid):
    """A text is rejected with a reason, which its author reads."""

    code = "reason_missing"


def author_name_of(*, first_name: str, last_name: str) -> str:
    """Return what others may read of a name: "Anna K.", or nothing when there is no first name."""
    first, last = first_name.strip()[:70], last_name.strip()
    return f"{first} {last[0].upper()}." if first and last else first


def locked(
    kind: type[Row], *, expected_version: int | None, refusal: type[NotFound], **which: Any
) -> Row:
    """Lock one row. Raises the refusal when there is none, VersionMismatch for an older version."""
    row = kind._default_manager.select_for_update().filter(**which).first()
    if row is None:
        raise refusal("There is nothing like that, or it is not yours.")
    if expected_version not in {None, row.version}:
        raise VersionMismatch("The text has changed.", version=row.version)
    return row


def settle(row: Contribution, *, status: Status, reason: str = "", **changes: Any) -> None:
    """Write the decision on a locked row, in the caller's transaction. Raises ReasonMissing."""
    if status == Status.REJECTED and not reason.strip():
        raise ReasonMissing("Say why, so that its author understands it.")
    kind = type(row)
    kind._default_manager.filter(pk=row.pk).update(
        status=status,
        reason=reason if status == Status.REJECTED else "",
        version=F("version") + 1,
        **changes,
    )
    record(
        f"catalog.{kind._meta.model_name}_moderated",
        about=row.pk,
        before={"status": row.status},
        after={"status": status},
    )
