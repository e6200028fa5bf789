"""Imports of files: started by staff, tried again, carried on by workers."""

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog import files
from apps.catalog.models import Import
from apps.catalog.models.exchange import Format
from apps.catalog.services.imports.plans import OnError
from apps.catalog.services.imports.runs import carry_on, finish, phase_after_inspection
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.ids import new_id
from apps.kernel.work import claim, due_after_failure

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than a batch takes
MOST_TRIES = 8
KEPT_FOR = timedelta(days=30)

State = Import.State


class UnknownImport(NotFound):
    """There is no such import."""

    code = "unknown_import"


class NothingToRetry(Conflict):
    """The import is under way, or nothing of it failed or was left, or its file is gone."""

    code = "nothing_to_retry"


def new_name() -> str:
    """Return where in the storage a file that is sent will be."""
    return f"imports/{new_id()}"


@transaction.atomic
def start_import(
    *,
    file_name: str,
    file_format: Format,
    on_error: OnError = OnError.REJECT_FAILED_ROWS,
    dry_run: bool = False,
    file: str = "",
    actor_id: UUID | None = None,
) -> Import:
    """Promise to take in a file. Workers carry on what is in the storage."""
    started = Import.objects.create(
        file=file,
        file_name=file_name[:200],
        format=file_format,
        on_error=on_error,
        dry_run=dry_run,
        actor_id=actor_id,
        next_action_at=timezone.now() if file else None,
    )
    _note("catalog.import_started", started)
    return started


@transaction.atomic
def retry_failed(*, import_id: UUID, actor_id: UUID | None = None) -> Import:
    """Promise to take in once more what failed in an import that is completed.

    Raises UnknownImport, NothingToRetry.
    """
    earlier = _locked(import_id)
    if earlier.state != State.COMPLETED or not earlier.failed or not earlier.file:
        raise NothingToRetry("Nothing of this import can be tried again.", state=earlier.state)
    retry = Import.objects.create(
        file=earlier.file,
        file_name=earlier.file_name,
        format=earlier.format,
        on_error=earlier.on_error,
        dry_run=earlier.dry_run,
        retry_of=earlier,
        phase=phase_after_inspection(earlier),
        total=earlier.failed,
        actor_id=actor_id,
        next_action_at=timezone.now(),
    )
    _note("catalog.import_started", retry)
    return retry


@transaction.atomic
def resume_import(*, import_id: UUID) -> Import:
    """Let an import that stopped on the way go on where it was.

    Raises UnknownImport, NothingToRetry.
    """
    stopped = _locked(import_id)
    if stopped.state != State.STOPPED:
        raise NothingToRetry("This import has not stopped on the way.", state=stopped.state)
    Import.objects.filter(pk=import_id).update(
        state=State.RUNNING,
        finished_at=None,
        fault_code="",
        fault_detail="",
        fault_line=None,
        tries=0,
        next_action_at=Now() if stopped.file else None,
    )
    stopped.refresh_from_db()
    _note("catalog.import_resumed", stopped)
    return stopped


def advance_import(*, seconds: float) -> bool:
    """Carry on the import that is due longest, for so long. Returns False when none is due."""
    job = claim(Import, lease=LEASE)
    if job is None:
        return False
    name, until = job.file, time.monotonic() + seconds
    try:
        carry_on(job, lambda offset: files.opened(name, offset=offset), until=until)
    except Exception:  # the database or the storage is away; another turn goes on from here
        log.exception("An import failed.", extra={"reference": job.pk})
        if job.tries < MOST_TRIES:
            due_after_failure(job)
        else:
            finish(job, State.STOPPED, code="gave_up", detail="It failed too often.")
    else:
        _running(job).update(lease_until=None, tries=0, next_action_at=Now())
    return True


def forget_old_imports() -> int:
    """Delete imports whose time is over, with their files. Returns how many."""
    old = list(Import.objects.filter(created_at__lt=Now() - KEPT_FOR)[:100])
    for each in old:
        if each.file and not each.retry_of_id:
            files.remove(each.file)
        each.delete()
    return len(old)


def import_of(*, import_id: UUID) -> Import:
    """Return an import. Raises UnknownImport."""
    found = Import.objects.filter(pk=import_id).first()
    if found is None:
        raise UnknownImport("There is no such import.")
    return found


def _running(job: Import) -> QuerySet[Import]:
    return Import.objects.filter(pk=job.pk, state=State.RUNNING)


def _locked(import_id: UUID) -> Import:
    found = Import.objects.select_for_update().filter(pk=import_id).first()
    if found is None:
        raise UnknownImport("There is no such import.")
    return found


def _note(action: str, job: Import) -> None:
    record(
        action,
        about=job.pk,
        after={
            "format": job.format,
            "on_error": job.on_error,
            "dry_run": job.dry_run,
            "retry_of": job.retry_of_id,
        },
    )
