"""Figures of open work, for those who watch the shop."""

from apps.kernel.figures import OpenWork, open_rows
from apps.users.models import Avatar


def open_work() -> list[OpenWork]:
    """Return how many pictures of people wait to be checked or to go, and for how long."""
    return [open_rows("avatar", Avatar)]
