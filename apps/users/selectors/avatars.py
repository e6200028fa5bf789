"""Reads of avatars: each by whose it is."""

from uuid import UUID

from apps.users.models import Avatar

SEEN = (Avatar.Status.CHECKING, Avatar.Status.PUBLISHED, Avatar.Status.REFUSED)


def avatar_of(*, user_id: UUID) -> Avatar | None:
    """Return the person's newest avatar that was uploaded."""
    return Avatar.objects.filter(user=user_id, status__in=SEEN).order_by("-id").first()
