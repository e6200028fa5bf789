"""Reads of the keys of programs."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.users.models import ApiKey

COLUMNS = (
    *("id", "owner_id", "name", "hint", "scopes", "networks", "created_at", "issued_at"),
    *("expires_at", "previous_until", "last_used_at", "revoked_at"),
)


def api_keys(*, owner_id: UUID | None = None) -> QuerySet[ApiKey, dict[str, Any]]:
    """Return keys as dictionaries, of one person or of everybody."""
    keys = ApiKey.objects.values(*COLUMNS)
    return keys if owner_id is None else keys.filter(owner=owner_id)
