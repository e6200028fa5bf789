"""Reads of second factors: what people are told of theirs."""

from uuid import UUID

from django.db.models.functions import Now

from apps.users.models import RecoveryCode, SecondFactor, User


def state_of(*, user_id: UUID) -> dict[str, object]:
    """Return whether the person has a second factor, since when, and how many codes are left."""
    confirmed_at = (
        SecondFactor.objects.filter(user=user_id).values_list("confirmed_at", flat=True).first()
    )
    return {
        "enabled": confirmed_at is not None,
        "confirmed_at": confirmed_at,
        "recovery_codes_left": RecoveryCode.objects.filter(user=user_id, used_at=None).count(),
    }


def person_challenged(*, challenge: bytes) -> User | None:
    """Return whom a living challenge asks for a code."""
    return User.objects.filter(
        login_challenges__hash=challenge, login_challenges__expires_at__gt=Now()
    ).first()
