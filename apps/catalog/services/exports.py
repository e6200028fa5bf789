"""Writing all products to files that imports take."""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import reset_queries, transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog import files
from apps.catalog.columns.table import STOCK
from apps.catalog.formats import csv_header, written
from apps.catalog.models import Export
from apps.catalog.models.exchange import Format
from apps.catalog.selectors.records import FIRST, PresentProduct, records_after
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.work import claim, due_after_failure

log = logging.getLogger(__name__)

PRODUCTS_A_PIECE = 1_000
LEASE = timedelta(minutes=2)  # longer than a part takes
MOST_TRIES = 8
KEPT_FOR = timedelta(days=7)


class UnknownExport(NotFound):
    """There is no such export, or its time is over."""

    code = "unknown_export"


class ExportNotReady(Conflict):
    """The file is still being written."""

    code = "export_not_ready"


def all_pieces(*, file_format: Format, with_stock: bool) -> Iterator[bytes]:
    """Yield a file of all products in the order of their ids, piece by piece."""
    without = () if with_stock else (STOCK,)
    if file_format == Format.CSV:
        yield csv_header(without)
    after = FIRST
    while products := records_after(after=after, limit=PRODUCTS_A_PIECE):
        yield _piece(products, file_format, without)
        after = products[-1].id
        reset_queries()  # with DEBUG on, Django remembers every statement


@transaction.atomic
def start_export(*, file_format: Format, with_stock: bool, actor_id: UUID | None) -> Export:
    """Promise a file of all products; a worker writes it."""
    export = Export.objects.create(
        format=file_format,
        without=[] if with_stock else [STOCK],
        actor_id=actor_id,
        next_action_at=timezone.now(),
    )
    after = {"format": file_format, "with_stock": with_stock}
    record("catalog.export_started", about=export.pk, after=after)
    return export


def advance_export(*, seconds: float) -> bool:
    """Write the export that is due longest, for so long. Returns False when none is due.

    A part is a file of its own, and the row says which are there: who goes on after a crash writes
    the last one again.
    """
    export = claim(Export, lease=LEASE)
    if export is None:
        return False
    until = time.monotonic() + seconds
    try:
        while export.state == Export.State.RUNNING:
            _write_part(export)
            if time.monotonic() >= until:
                break
    except Exception:  # the database or the storage is away; another turn goes on from here
        log.exception("An export failed.", extra={"reference": export.pk})
        if export.tries < MOST_TRIES:
            due_after_failure(export)
        else:
            _save(export, state=Export.State.STOPPED, finished_at=Now(), next_action_at=None)
    else:
        running = Export.objects.filter(pk=export.pk, state=Export.State.RUNNING)
        running.update(lease_until=None, tries=0, next_action_at=Now())
    return True


@transaction.atomic
def download(*, export_id: UUID) -> tuple[Export, Iterator[bytes]]:
    """Return a finished export and its file, piece by piece.

    Raises UnknownExport, ExportNotReady.
    """
    export = export_of(export_id=export_id)
    if export.state != Export.State.COMPLETED:
        raise ExportNotReady("The file is not ready.", state=export.state)
    record("catalog.export_downloaded", about=export.pk)
    return export, _pieces(export)


def export_of(*, export_id: UUID) -> Export:
    """Return an export. Raises UnknownExport."""
    found = Export.objects.filter(pk=export_id).first()
    if found is None:
        raise UnknownExport("There is no such export.")
    return found


def forget_old_exports() -> int:
    """Delete exports whose time is over, with their files. Returns how many."""
    old = list(Export.objects.filter(created_at__lt=Now() - KEPT_FOR)[:100])
    for export in old:
        for part in range(export.parts + 1):
            files.remove(_name(export, part))
        export.delete()
    return len(old)


def _write_part(export: Export) -> None:
    file_format = Format(export.format)
    products = records_after(after=export.after or FIRST, limit=PRODUCTS_A_PIECE)
    pieces = [csv_header(export.without)] if file_format == Format.CSV and not export.parts else []
    if products:
        pieces.append(_piece(products, file_format, export.without))
    if pieces:
        files.keep(_name(export, export.parts), pieces)
    finished = len(products) < PRODUCTS_A_PIECE
    ended = {"state": Export.State.COMPLETED, "finished_at": Now(), "next_action_at": None}
    _save(
        export,
        parts=export.parts + bool(pieces),
        products=export.products + len(products),
        after=products[-1].id if products else export.after,
        **(ended if finished else {}),
    )


def _save(export: Export, **changes: object) -> None:
    Export.objects.filter(pk=export.pk, parts=export.parts).update(**changes)
    export.refresh_from_db()


def _pieces(export: Export) -> Iterator[bytes]:
    for part in range(export.parts):
        with files.opened(_name(export, part)) as file:
            while piece := file.read(files.PIECE):
                yield piece


def _name(export: Export, part: int) -> str:
    return f"exports/{export.pk}/{part}"


def _piece(
    products: Sequence[PresentProduct], file_format: Format, without: Sequence[str]
) -> bytes:
    return written(
        ((each.values, [v.values for v in each.variants]) for each in products),
        file_format,
        without=without,
    )
