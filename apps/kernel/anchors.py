"""Where the newest hash of the audit log is kept: outside the database that holds the log.

An anchor is a name: number, time and hash. It goes into the process's log, which is shipped away,
and where the storage `audit` is set up also becomes the name of an empty file there.
"""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from apps.kernel.audit import Anchor, head_of_chain

log = logging.getLogger(__name__)

WRITTEN = "audit-anchor"
MOMENT = "%Y%m%dT%H%M%SZ"
NAME = re.compile(r"(\d{15})-(\d{8}T\d{6}Z)-([0-9a-f]{64})")


def anchor(*, at: datetime) -> bool:
    """Write the newest hash down unless that was done. Returns whether it was now."""
    seq, head = head_of_chain()
    digest = head.hex()
    if not seq or cache.get(WRITTEN) == digest:
        return False
    name = f"{seq:015d}-{at.astimezone(UTC):{MOMENT}}-{digest}"
    if "audit" in storages.backends:
        storages["audit"].save(name, ContentFile(b""))
    log.info("The audit log was anchored.", extra={"reference": name})
    cache.set(WRITTEN, digest, None)
    return True


def anchors() -> Iterator[Anchor]:
    """Yield what the storage holds. Raises OSError where it cannot be read."""
    if "audit" in storages.backends:
        _, names = storages["audit"].listdir("")
        for name in names:
            yield from anchors_in(name)


def anchors_in(text: str) -> Iterator[Anchor]:
    """Yield the anchors in a text, such as lines of the process's log."""
    for seq, at, digest in NAME.findall(text):
        moment = datetime.strptime(at, MOMENT).replace(tzinfo=UTC)
        yield Anchor(seq=int(seq), hash=bytes.fromhex(digest), at=moment)
