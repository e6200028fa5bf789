"""Identifiers: UUID version 7 (RFC 9562), so that rows sort by the time they were made."""

import secrets
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new UUIDv7."""
    return uuid7()


def first_id_of(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 of the moment's millisecond; whatever is made later is larger.

    Before 1970 there was none: such a moment has the first id of all.
    """
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80 | 7 << 76 | 2 << 62)


def id_of(moment: datetime) -> UUID:
    """Return a new UUIDv7 of a moment that may be long over."""
    return UUID(int=first_id_of(moment).int | secrets.randbits(12) << 64 | secrets.randbits(62))
