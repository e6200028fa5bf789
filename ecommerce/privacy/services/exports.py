"""Handing people their data: asked for, made by a worker, kept a week."""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.mail import send
from apps.kernel.work import claim, due_after_failure
from apps.users import interface as users
from ecommerce.privacy.models import DataExport
from ecommerce.privacy.services.archives import archive_of
from ecommerce.privacy.services.people import holder_of

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=7)
LEASE = timedelta(minutes=2)  # longer than a task may run


class DataExportUnderWay(Conflict):
    """An archive of your data is being made already."""

    code = "data_export_under_way"


class UnknownDataExport(NotFound):
    """There is no such archive, it has expired, or it is somebody else's."""

    code = "unknown_data_export"


@transaction.atomic
def ask(*, user_id: UUID, asked_by: UUID | None = None) -> DataExport:
    """Promise an archive of the person's data; a worker makes it. Raises DataExportUnderWay."""
    export = DataExport(user_id=user_id, asked_by=asked_by, next_action_at=timezone.now())
    try:
        with transaction.atomic():
            export.save(force_insert=True)
    except IntegrityError as error:
        if "data_export_one_at_a_time" not in str(error):
            raise
        raise DataExportUnderWay("An archive of your data is being made already.") from error
    record("privacy.export_requested", about=export.pk, after={"person": user_id})
    return export


def advance_export() -> bool:
    """Make the archive that is due longest. Returns False when none is due."""
    export = claim(DataExport, lease=LEASE)
    if export is None:
        return False
    try:
        archive = archive_of(holder_of(export.user_id), at=timezone.now())
    except Exception:  # one person's odd row must not stop the others' archives
        log.exception("A data export failed.", extra={"reference": export.pk})
        due_after_failure(export)
        return True
    _keep(export, archive)
    return True


@transaction.atomic
def download(*, user_id: UUID, export_id: UUID) -> bytes:
    """Return the archive, if it is the person's own and ready. Raises UnknownDataExport."""
    ready = exports_of(user_id=user_id).filter(pk=export_id, archive__isnull=False)
    archive = ready.values_list("archive", flat=True).first()
    if archive is None:
        raise UnknownDataExport("There is no such archive.")
    record("privacy.export_downloaded", about=export_id)
    return bytes(archive)


def exports_of(*, user_id: UUID) -> QuerySet[DataExport]:
    """Return the person's archives that have not expired, newest first, without their content."""
    mine = DataExport.objects.filter(user_id=user_id).exclude(expires_at__lte=Now())
    return mine.defer("archive").order_by("-requested_at")


def export_of(*, user_id: UUID, export_id: UUID) -> DataExport:
    """Return one of the person's archives, without its content. Raises UnknownDataExport."""
    export = exports_of(user_id=user_id).filter(pk=export_id).first()
    if export is None:
        raise UnknownDataExport("There is no such archive.")
    return export


def forget_expired_exports() -> int:
    """Delete the archives whose week is over. Returns how many."""
    return DataExport.objects.filter(expires_at__lte=Now()).delete()[0]


@transaction.atomic
def _keep(export: DataExport, archive: bytes) -> None:
    """Keep the archive in the place of older ones, unless another worker was faster."""
    expires_at = timezone.now() + KEPT_FOR
    kept = DataExport.objects.filter(pk=export.pk, status=DataExport.Status.REQUESTED).update(
        status=DataExport.Status.READY,
        archive=archive,
        ready_at=Now(),
        expires_at=expires_at,
        next_action_at=None,
        lease_until=None,
    )
    if kept:
        older = DataExport.objects.filter(user_id=export.user_id, status=DataExport.Status.READY)
        older.exclude(pk=export.pk).delete()
        for contact in users.contacts_of(user_ids=[export.user_id]).values():
            context = {"expires_on": f"{expires_at:%Y-%m-%d}"}
            send("data_export_ready", to=contact.email, context=context)
