"""What can be backed up and restored, wherever it runs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Status:
    """How much could be restored now. A time is None when there is nothing yet."""

    newest_backup: datetime | None
    restorable_until: datetime | None


class Target(Protocol):
    """One PostgreSQL database with its backups. Every method raises CannotRecover."""

    def status(self) -> Status:
        """Tell how much could be restored now."""
        ...

    def back_up(self) -> str:
        """Take a full backup and return its name."""
        ...

    def verify(self) -> str:
        """Check what a restore to the latest moment would use; say what was checked."""
        ...

    def restore(self, *, to: datetime | None, into: str) -> str:
        """Restore to just before `to`, or to the latest moment, as `into`; say what was done.

        Overwrites nothing.
        """
        ...
