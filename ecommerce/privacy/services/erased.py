"""The list of erasures, kept outside the database: a restored one does not know them any more.

An entry is a name: time, account and a keyed hash of an address. It goes into the process's log,
which is shipped away, and where the storage `audit` is set up also becomes an empty file there.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils.crypto import salted_hmac

from apps.kernel.privacy import Person
from apps.orders import interface as orders
from apps.users import interface as users

log = logging.getLogger(__name__)

FOLDER = "erasures"
KEPT_FOR = timedelta(days=90)  # longer than any backup
MOMENT = "%Y%m%dT%H%M%SZ"
NOBODY, NOWHERE = UUID(int=0), "0" * 64
NAME = re.compile(r"erased-(\d{8}T\d{6}Z)-([0-9a-f-]{36})-([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody was erased at that time: an account, the guest of an address, or both."""

    at: datetime
    user_id: UUID | None
    digest: str


def note(person: Person, *, at: datetime) -> None:
    """Write down that the person is erased. Doing it again changes nothing."""
    for digest in [_digests_of(email)[0] for email in sorted(person.emails)] or [NOWHERE]:
        name = f"erased-{at.astimezone(UTC):{MOMENT}}-{person.user_id or NOBODY}-{digest}"
        if "audit" in storages.backends and not storages["audit"].exists(f"{FOLDER}/{name}"):
            storages["audit"].save(f"{FOLDER}/{name}", ContentFile(b""))
        log.info("A person is erased.", extra={"reference": name})


def forget_old_entries(*, at: datetime) -> int:
    """Delete the files that no backup is old enough to need any more. Returns how many."""
    names = _names()
    old = [name for name in names for entry in entries_in(name) if entry.at < at - KEPT_FOR]
    for name in old:
        storages["audit"].delete(f"{FOLDER}/{name}")
    return len(old)


def entries() -> Iterator[Entry]:
    """Yield what the storage holds. Raises OSError where it cannot be read."""
    for name in _names():
        yield from entries_in(name)


def entries_in(text: str) -> Iterator[Entry]:
    """Yield the entries in a text, such as lines of the process's log."""
    for at, user_id, digest in NAME.findall(text):
        moment = datetime.strptime(at, MOMENT).replace(tzinfo=UTC)
        yield Entry(moment, UUID(user_id) if UUID(user_id) != NOBODY else None, digest)


def still_there(noted: Iterable[Entry]) -> Iterator[Person]:
    """Yield the persons of the list that this database knows again."""
    listed = set(noted)
    digests = {entry.digest for entry in listed} - {NOWHERE}
    guests = {
        email: digest
        for email in (orders.emails_of_guests() if digests else ())
        for digest in _digests_of(email)
        if digest in digests
    }
    accounts = users.contacts_of(user_ids=[e.user_id for e in listed if e.user_id])
    for entry in listed:
        account = entry.user_id if entry.user_id in accounts else None
        emails = frozenset(email for email, digest in guests.items() if digest == entry.digest)
        if account or emails:
            yield Person(account, emails)


def _names() -> list[str]:
    if "audit" in storages.backends and storages["audit"].exists(FOLDER):
        return storages["audit"].listdir(FOLDER)[1]
    return []


def _digests_of(email: str) -> list[str]:
    """Return the address's hash under the present key, then under those before it."""
    return [
        salted_hmac("privacy.erased", email.lower(), secret=key, algorithm="sha256").hexdigest()
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
