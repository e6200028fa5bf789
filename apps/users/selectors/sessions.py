"""Reads: the sessions in which a person is logged in."""

from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.users.models import Session


def living_sessions_of(*, user_id: UUID) -> QuerySet[Session]:
    """Return the sessions of a person that can still be used or prolonged."""
    return Session.objects.filter(
        user=user_id,
        revoked_at=None,
        expires_at__gt=Now(),
        last_used_at__gt=Now() - settings.SESSION_IDLE_LIFETIME,
    )


def office_session_of(*, user_id: UUID, session_id: str) -> Session | None:
    """Return the session behind a cookie of the back office; None without one that lives."""
    if not session_id:
        return None
    return living_sessions_of(user_id=user_id).filter(pk=session_id, second_factor=True).first()
