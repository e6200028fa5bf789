"""What staff do to the rows that they have ticked."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.errors import DomainError


def act_on_each(
    page: admin.ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    act: Callable[[Any], object],
) -> None:
    """Act on each row by itself and tell how it went."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except DomainError as refusal:
            page.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)
    if done:
        page.message_user(request, f"Done: {done}.", messages.SUCCESS)
