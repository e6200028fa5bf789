"""The audit log: who did what, written with what they did, sealed into a chain afterwards.

An entry is inserted in the transaction of the change it describes; the two commit or fail together.
A sealer then gives each entry its number and the hash of all that stands before it. Sealing later
keeps writers from waiting for each other.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from apps.kernel.json import dumps
from apps.kernel.models import AuditEntry
from apps.kernel.trail import request_id

GENESIS: Final = bytes(32)
LOCK: Final = 0x6175_6469_74  # "audit"
SEALED_WITHIN: Final = timedelta(minutes=1)
RESTORED: Final = "kernel.database_restored"
NAME = re.compile(r"[a-z]+\.[a-z_]+")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person or an API key, in which session, from where; all empty for the store."""

    kind: str = AuditEntry.ActorKind.SYSTEM
    id: UUID | None = None
    session_id: UUID | None = None
    ip: str | None = None


STORE: Final = Actor()
_asking: ContextVar[Callable[[], Actor]] = ContextVar("asking", default=lambda: STORE)


@contextmanager
def on_behalf_of(asking: Callable[[], Actor]) -> Iterator[None]:
    """Let entries written inside name the actor that `asking` returns when one is written."""
    token = _asking.set(asking)
    try:
        yield
    finally:
        _asking.reset(token)


def record(
    action: str,
    *,
    about: UUID | int | str,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    by: UUID | None = None,
) -> None:
    """Write one entry in the caller's transaction. One statement.

    `action` is `app.what_happened`, `about` the id of what it happened to; `before` and `after`
    hold ids, flags, amounts and names of fields, never personal data, because entries cannot be
    changed. `by` names the person where the request does not know them yet, as at a login.
    Raises RuntimeError outside a transaction.
    """
    record_all(action, [(about, before, after)], by=by)


def record_all(
    action: str,
    changes: Sequence[tuple[object, Mapping[str, object] | None, Mapping[str, object] | None]],
    *,
    by: UUID | None = None,
) -> None:
    """Write an entry for each change (about, before, after), as `record` does. One statement."""
    if not changes:
        return
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{action} must be recorded inside the transaction it describes.")
    if not NAME.fullmatch(action):
        raise ValueError(f"{action!r} is no name of an action.")
    actor = _asking.get()()
    ip = str(ip_address(actor.ip)) if actor.ip else None
    salt = secrets.token_bytes(16) if ip else None
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor_kind=AuditEntry.ActorKind.PERSON if by else actor.kind,
            actor_id=by or actor.id,
            session_id=actor.session_id,
            ip=ip,
            ip_salt=salt,
            ip_digest=salt and _digest_of(ip, salt),
            action=action,
            about=str(about),
            before=_plain(before),
            after=_plain(after),
            request_id=request_id(),
        )
        for about, before, after in changes
    )


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the newest hash was at a moment, written down outside the database."""

    seq: int
    hash: bytes
    at: datetime


def seal(*, limit: int = 1_000) -> int:
    """Number and chain what is not sealed yet, in the order of ids. Returns how many were.

    One sealer works at a time; another one returns 0 at once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if cursor.fetchone() != (True,):
            return 0
        open_entries = list(AuditEntry.objects.filter(seq=None).order_by("id")[:limit])
        if not open_entries:
            return 0
        last, head = head_of_chain()
        sealed: list[tuple[UUID, int, bytes]] = []
        for seq, entry in enumerate(open_entries, last + 1):
            head = _hash_of(entry, seq, head)
            sealed.append((entry.pk, seq, head))
        ids, seqs, hashes = zip(*sealed, strict=True)
        cursor.execute(
            """
            UPDATE kernel_auditentry AS entry SET seq = sealed.seq, hash = sealed.hash
            FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[]) AS sealed (id, seq, hash)
            WHERE entry.id = sealed.id
            """,
            [list(ids), list(seqs), list(hashes)],
        )
    return len(open_entries)


def head_of_chain() -> tuple[int, bytes]:
    """Return number and hash of the newest sealed entry; (0, zeros) before the first."""
    entry = AuditEntry.objects.exclude(seq=None).order_by("-seq").only("seq", "hash").first()
    return (entry.seq or 0, bytes(entry.hash or b"")) if entry else (0, GENESIS)


def findings(anchors: Iterable[Anchor]) -> Iterator[str]:
    """Yield what is wrong with the log, one sentence each. Reads all of it, in constant memory.

    Without anchors, which are kept outside this database, a cut at the end cannot be seen. What a
    restore has cut off is no finding: the log itself says when it happened.
    """
    waiting: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        waiting.setdefault(anchor.seq, []).append(anchor)
    unmatched: list[Anchor] = []
    restores: list[tuple[int, datetime]] = []
    head, number = GENESIS, 0
    for entry in AuditEntry.objects.exclude(seq=None).order_by("seq").iterator(chunk_size=2_000):
        number += 1
        if entry.seq != number:
            yield f"Between {number - 1} and {entry.seq} entries are missing."
            number = entry.seq or 0
        if _hash_of(entry, number, head) != entry.hash:
            yield f"Entry {number} ({entry.pk}) does not match its hash."
        if entry.ip and _digest_of(entry.ip, entry.ip_salt or b"") != entry.ip_digest:
            yield f"The address of entry {number} ({entry.pk}) does not match its digest."
        if entry.action == RESTORED:
            restores.append((number, entry.at))
        head = bytes(entry.hash or b"")
        unmatched += [anchor for anchor in waiting.pop(number, ()) if anchor.hash != head]
    unmatched += [anchor for rest in waiting.values() for anchor in rest]
    for anchor in unmatched:
        if not any(anchor.seq >= since and anchor.at < at for since, at in restores):
            yield f"Entry {anchor.seq} is not the one that was anchored at {anchor.at}."
    late = AuditEntry.objects.filter(seq=None, at__lt=Now() - SEALED_WITHIN).count()
    if late:
        yield f"{late} entries are not sealed after {SEALED_WITHIN.total_seconds():.0f} s."


def _hash_of(entry: AuditEntry, seq: int, before: bytes) -> bytes:
    said = {
        "id": str(entry.pk),
        "at": entry.at.isoformat(timespec="microseconds"),
        "actor": [entry.actor_kind, _text(entry.actor_id), _text(entry.session_id)],
        "ip": bytes(entry.ip_digest).hex() if entry.ip_digest else None,
        "action": entry.action,
        "about": entry.about,
        "before": entry.before,
        "after": entry.after,
        "request": entry.request_id,
        "seq": seq,
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(before + canonical.encode()).digest()


def _digest_of(ip: str | None, salt: bytes | memoryview) -> bytes:
    return hashlib.sha256(bytes(salt) + (ip or "").encode()).digest()


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _plain(values: Mapping[str, object] | None) -> Any:
    return None if values is None else json.loads(dumps(dict(values)))
