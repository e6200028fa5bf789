"""Ids and slugs in addresses and documents of the API."""

import re
from uuid import UUID

from django.core.exceptions import BadRequest

CANONICAL = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def id_of(key: str) -> UUID:
    """Return the id that an address or a document names. Anything else is a bad request."""
    if not CANONICAL.fullmatch(key):
        raise BadRequest("malformed_id")
    return UUID(key)


def reference_of(key: str | None) -> str | UUID | None:
    """Return what an address or a document names: an id or a slug."""
    return UUID(key) if key is not None and CANONICAL.fullmatch(key) else key


class IdConverter:
    """An id in a path. Anything but a UUID is a bad request, not a missing page."""

    regex = r"[^/]+"

    def to_python(self, value: str) -> UUID:
        return id_of(value)

    def to_url(self, value: UUID) -> str:
        return str(value)
