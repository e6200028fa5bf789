"""Reads of what people agree to."""

from uuid import UUID

from apps.users.models import Consent


def consents_of(*, user_id: UUID) -> dict[str, Consent]:
    """Return the decision that counts for each purpose that the person has decided about."""
    newest = Consent.objects.filter(user=user_id).order_by("purpose", "-id").distinct("purpose")
    return {consent.purpose: consent for consent in newest}
