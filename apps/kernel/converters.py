"""Path converters of the API."""

import re
from uuid import UUID

from django.core.exceptions import BadRequest

CANONICAL = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class IdConverter:
    """An id in a path. Anything but a UUID is a bad request, not a missing page."""

    regex = r"[^/]+"

    def to_python(self, value: str) -> UUID:
        if not CANONICAL.fullmatch(value):
            raise BadRequest("malformed_id")
        return UUID(value)

    def to_url(self, value: UUID) -> str:
        return str(value)
