"""Taking in a file, batch by batch: each is one transaction with the progress that it makes."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO
from uuid import UUID

from django.db import connection, reset_queries, transaction
from django.db.models.functions import Now

from apps.catalog.columns.table import PRODUCT_COLUMNS, VARIANT_COLUMNS
from apps.catalog.formats import (
    FileFault,
    Header,
    Lines,
    Record,
    header_of,
    places,
    records,
)
from apps.catalog.models import Import, ImportName, ImportRow
from apps.catalog.models.exchange import Format
from apps.catalog.services.categories import count_products
from apps.catalog.services.imports.batches import BATCH, take_in
from apps.catalog.services.imports.plans import How, OnError, Outcome, Plan
from apps.catalog.services.imports.sets import insert_rows
from apps.catalog.services.prices.due import apply_due_prices
from apps.kernel.audit import record as note
from apps.kernel.ids import new_id

BATCH_BYTES = 4 * 1024 * 1024
PLACES_A_STEP = 20_000
RETRIED_A_STEP = 500
LONGEST_TOLD = 200

State, Phase = Import.State, Import.Phase
Open = Callable[[int], AbstractContextManager[BinaryIO]]
Tell = Callable[[Import], None]


class TakenOver(Exception):
    """Somebody else carries the import on, because we were thought to be dead."""


def phase_after_inspection(job: Import) -> str:
    """Return whether a file is compared as a whole before anything of it is written."""
    if job.dry_run or job.on_error == OnError.REJECT_EVERYTHING:
        return Phase.CHECKING
    return Phase.WRITING


def carry_on(
    job: Import, open_at: Open, *, until: float = float("inf"), tell: Tell = lambda job: None
) -> None:
    """Take a running import on until it is finished or the time (monotonic) is over.

    What is committed is done: whoever goes on after a crash begins behind the last batch.
    """
    try:
        while job.state == State.RUNNING:
            try:
                _carry_on(job, open_at, until, tell)
            except FileFault as fault:
                state = State.STOPPED if job.phase == Phase.WRITING else State.REJECTED
                finish(job, state, code=fault.code, detail=fault.detail, line=fault.line)
            if time.monotonic() >= until:
                return
    except TakenOver:
        job.refresh_from_db()


@transaction.atomic
def finish(
    job: Import, state: str, *, code: str = "", detail: str = "", line: int | None = None
) -> None:
    """End an import, with the reason if it is a bad end.

    What has come in is counted in the category tree at once.
    """
    if state == State.COMPLETED and job.phase == Phase.WRITING:
        count_products()
    _save(
        job,
        state=state,
        fault_code=code,
        fault_detail=detail[:500],
        fault_line=line,
        finished_at=Now(),
        next_action_at=None,
        lease_until=None,
    )
    counts = ("read", "created", "changed", "unchanged", "failed")
    note(
        "catalog.import_finished",
        about=job.pk,
        after={"state": state, "code": code, **{name: getattr(job, name) for name in counts}},
        by=job.actor_id,
    )


def _carry_on(job: Import, open_at: Open, until: float, tell: Tell) -> None:
    if job.retry_of_id is not None:
        _take_batches(job, _batches(_failed_before(job, open_at)), until, tell)
        return
    with _reading(job, open_at, job.offset, job.line) as (lines, header):
        if job.phase == Phase.INSPECTING:
            _inspect(job, lines, header, until, tell)
        else:
            _take_batches(job, _batches(records(lines, header)), until, tell)


@contextmanager
def _reading(
    job: Import, open_at: Open, offset: int, line: int
) -> Iterator[tuple[Lines, Header | None]]:
    """Open the file behind what is done, and behind its header."""
    with open_at(0) as beginning:
        first = Lines(beginning)
        header = header_of(first, Format(job.format))
    with open_at(max(offset, first.offset)) as file:
        yield Lines(file, offset=max(offset, first.offset), line=max(line, first.line)), header


def _inspect(job: Import, lines: Lines, header: Header | None, until: float, tell: Tell) -> None:
    """Look whether the file can be read to its end, and count the products in it."""
    found = 0
    for place in places(lines, header):
        found += 1
        if found == PLACES_A_STEP:
            total = job.total + found
            _save(job, offset=place.next_offset, line=place.last_line, total=total)
            tell(job)
            found = 0
            if time.monotonic() >= until:
                return
    if not job.total + found:
        raise FileFault("empty_file", "There is nothing in the file.", line=lines.line)
    _save(job, phase=phase_after_inspection(job), offset=0, line=0, total=job.total + found)
    tell(job)


def _take_batches(job: Import, batches: Iterator[list[Record]], until: float, tell: Tell) -> None:
    for batch in batches:
        while job.phase == Phase.WRITING and apply_due_prices():
            pass  # what was due before the file is not to come after it
        _take_batch(job, batch)
        tell(job)
        reset_queries()  # with DEBUG on, Django remembers every statement
        if time.monotonic() >= until:
            return
    if job.phase == Phase.WRITING or job.dry_run:
        finish(job, State.COMPLETED)
    elif job.failed:
        detail = f"{job.failed} of {job.read} products have errors; nothing was written."
        finish(job, State.REJECTED, code="rows_failed", detail=detail)
    else:
        _write_what_was_checked(job)


def _batches(source: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in source:
        batch.append(record)
        if record.place:
            size += record.place.next_offset - record.place.offset
        if len(batch) == BATCH or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@transaction.atomic
def _take_batch(job: Import, batch: list[Record]) -> None:
    _lock(job)
    how = How(
        on_error=OnError(job.on_error),
        dry_run=job.phase == Phase.CHECKING,
        actor_id=job.actor_id,
    )
    keys = {record.line: _key(record) for record in batch}
    fresh, doubled = _told_apart(job, batch, keys)
    plans = [*doubled, *take_in(fresh, how)]
    if how.dry_run:
        _take_names(job, plans)
    insert_rows(ImportRow, [_row(job, plan, keys[plan.record.line], how) for plan in plans])
    counts = Counter(plan.outcome for plan in plans)
    place = batch[-1].place
    if place is None:
        raise TypeError("Records of files have a place.")
    _save(
        job,
        offset=place.next_offset,
        line=place.last_line,
        read=job.read + len(plans),
        created=job.created + counts[Outcome.CREATED],
        changed=job.changed + counts[Outcome.CHANGED],
        unchanged=job.unchanged + counts[Outcome.UNCHANGED],
        failed=job.failed + counts[Outcome.FAILED],
    )


@transaction.atomic
def _write_what_was_checked(job: Import) -> None:
    _lock(job)
    ImportRow.objects.filter(of_import=job).delete()
    ImportName.objects.filter(of_import=job).delete()
    nothing = dict.fromkeys(("offset", "line", "read", "created", "changed", "unchanged"), 0)
    _save(job, phase=Phase.WRITING, **nothing)


def _lock(job: Import) -> None:
    """Hold the import as it was when we read it. Raises TakenOver."""
    row = Import.objects.select_for_update().filter(
        pk=job.pk, state=State.RUNNING, phase=job.phase, offset=job.offset
    )
    if not row.values_list("pk").first():
        raise TakenOver


def _save(job: Import, **changes: Any) -> None:
    """Write progress, unless somebody else has. Raises TakenOver."""
    written = Import.objects.filter(
        pk=job.pk, state=State.RUNNING, phase=job.phase, offset=job.offset
    ).update(**changes)
    if not written:
        raise TakenOver
    for name, value in changes.items():
        setattr(job, name, value)


def _told_apart(
    job: Import, batch: Sequence[Record], keys: dict[int, UUID]
) -> tuple[list[Record], list[Plan]]:
    """Return what the file says for the first time; what it has said before fails."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT key, line FROM catalog_importrow
            WHERE of_import_id = %s AND key = ANY(%s) AND NOT outcome = 'failed'
            """,
            [job.pk, list(keys.values())],
        )
        said: dict[UUID, int] = dict(cursor.fetchall())
    fresh, doubled = [], []
    for record in batch:
        line = said.setdefault(keys[record.line], record.line)
        if line == record.line:
            fresh.append(record)
        else:
            plan = Plan(record)
            plan.refuse("", "duplicate_in_file", f"Line {line} is about this product already.")
            doubled.append(plan)
    return fresh, doubled


def _take_names(job: Import, plans: Sequence[Plan]) -> None:
    """Refuse what an earlier row of the file would have taken, if it were written."""
    wanted = {
        _named(column, name): (plan, column, name)
        for plan in plans
        for column, name in plan.names_taken()
    }
    taken = ImportName.objects.filter(of_import=job, key__in=wanted).values_list("key", flat=True)
    for key in taken:
        plan, column, name = wanted[key]
        plan.refuse(column, f"{column}_taken", f"An earlier row of the file takes {name}.")
    free = [key for key, (plan, _, _) in wanted.items() if plan.outcome != Outcome.FAILED]
    insert_rows(ImportName, [{"of_import_id": job.pk, "key": key} for key in free])


def _key(record: Record) -> UUID:
    """Return what stands for the product that a record names."""
    for column in ("id", "external_ref", "slug"):
        if name := record.product.get(column):
            break
    else:
        column, name = "sku", record.variants[0]["sku"].upper() if record.variants else ""
    if not name:
        return new_id()
    return _named(column, name)


def _named(column: str, name: str) -> UUID:
    return UUID(bytes=hashlib.blake2b(f"{column}:{name}".encode(), digest_size=16).digest())


def _row(job: Import, plan: Plan, key: UUID, how: How) -> dict[str, Any]:
    record = plan.record
    return {
        "id": new_id(),
        "of_import_id": job.pk,
        "line": record.line,
        "offset": record.place.offset if record.place else 0,
        "key": key,
        "outcome": plan.outcome,
        "product_id": plan.present.id
        if how.dry_run and plan.present
        else (None if how.dry_run or plan.outcome == Outcome.FAILED else plan.product_id),
        "faults": [
            {"line": f.line, "column": f.column, "code": f.code, "detail": f.detail}
            for f in plan.faults
        ],
        "changes": _told(plan) if how.dry_run else {},
    }


def _told(plan: Plan) -> dict[str, list[Any]]:
    """Return the changes in the form of JSON files, long texts cut."""
    if plan.outcome == Outcome.FAILED:
        return {}
    return {name: [_in_short(name, value) for value in pair] for name, pair in plan.changes.items()}


def _in_short(name: str, value: Any) -> Any:
    _, _, column = name.rpartition(": ")
    kinds = VARIANT_COLUMNS if ": " in name else PRODUCT_COLUMNS
    told = kinds[column].kind.to_json(value)
    return f"{told[:LONGEST_TOLD]}…" if isinstance(told, str) and len(told) > LONGEST_TOLD else told


def _failed_before(job: Import, open_at: Open) -> Iterator[Record]:
    """Read again what failed in the import that this one retries."""
    after = job.line
    while True:
        lines_failed = dict(
            ImportRow.objects.filter(of_import=job.retry_of_id, outcome="failed", line__gt=after)
            .order_by("line")
            .values_list("line", "offset")[:RETRIED_A_STEP]
        )
        if not lines_failed:
            return
        first, last = min(lines_failed), max(lines_failed)
        with _reading(job, open_at, lines_failed[first], first - 1) as (lines, header):
            for record in records(lines, header):
                if record.line in lines_failed:
                    yield record
                if record.line >= last:
                    break
        after = last
