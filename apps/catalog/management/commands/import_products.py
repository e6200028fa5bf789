"""Take in a file of products: `manage.py import_products products.csv --dry-run`."""

import gc
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.catalog.models import Import
from apps.catalog.models.exchange import Format
from apps.catalog.services.imports.jobs import import_of, resume_import, start_import
from apps.catalog.services.imports.plans import OnError
from apps.catalog.services.imports.runs import carry_on
from apps.kernel.errors import DomainError

MOST_TOLD = 20
FORMATS = {".csv": Format.CSV, ".jsonl": Format.JSON_LINES, ".ndjson": Format.JSON_LINES}


class Command(BaseCommand):
    """Create and change products as a CSV or JSON Lines file says (docs/imports.md)."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file and how it is taken in."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=Format.values, help="else by the file's suffix")
        parser.add_argument("--dry-run", action="store_true", help="compare, write nothing")
        parser.add_argument(
            "--on-error", choices=OnError.values, default=OnError.REJECT_FAILED_ROWS
        )
        parser.add_argument("--resume", type=UUID, metavar="ID", help="go on with an import")

    def handle(self, *, file: Path, resume: UUID | None, **options: Any) -> None:
        """Take the file in and tell what became of it. Fails unless all of it was taken."""
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        job = self._resumed(resume) if resume else self._started(file, options)
        self.stdout.write(f"Import {job.pk}")

        def open_at(offset: int) -> AbstractContextManager[BinaryIO]:
            return _opened(file, offset)

        gc.freeze()  # collecting what Django is made of again and again took a quarter of the time
        carry_on(job, open_at, tell=self._tell)
        self._report(job)

    def _started(self, file: Path, options: dict[str, Any]) -> Import:
        file_format = options["format"] or FORMATS.get(file.suffix.lower())
        if file_format is None:
            raise CommandError("Say by --format whether the file is csv or jsonl.")
        return start_import(
            file_name=file.name,
            file_format=Format(file_format),
            on_error=OnError(options["on_error"]),
            dry_run=options["dry_run"],
        )

    def _resumed(self, import_id: UUID) -> Import:
        try:
            job = import_of(import_id=import_id)
            return resume_import(import_id=import_id) if job.state == "stopped" else job
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal

    def _tell(self, job: Import) -> None:
        done = f"{job.total} found" if job.phase == Import.Phase.INSPECTING else f"{job.read} read"
        self.stdout.write(f"{job.phase}: {done}", ending="\r" if self.stdout.isatty() else "\n")

    def _report(self, job: Import) -> None:
        would = " (nothing was written)" if job.dry_run else ""
        for row in job.rows.filter(outcome="failed").order_by("line")[:MOST_TOLD]:
            for fault in row.faults:
                place = f"line {fault['line']}" + (f", {fault['column']}" * bool(fault["column"]))
                self.stderr.write(f"{place}: {fault['code']}: {fault['detail']}")
        if job.dry_run:
            for row in job.rows.exclude(changes={}).order_by("line")[:MOST_TOLD]:
                for name, (before, after) in row.changes.items():
                    self.stdout.write(f"line {row.line}, {name}: {before!r} -> {after!r}")
        self.stdout.write(
            f"{job.read} products read: {job.created} created, {job.changed} changed, "
            f"{job.unchanged} unchanged, {job.failed} failed{would}"
        )
        if job.state == Import.State.RUNNING:
            raise CommandError("Another process carries the import on.")
        if job.fault_code:
            place = f"line {job.fault_line}: " if job.fault_line else ""
            raise CommandError(f"{job.state}: {place}{job.fault_code}: {job.fault_detail}")
        if job.failed:
            raise CommandError(f"{job.failed} of {job.read} products were refused.")


@contextmanager
def _opened(path: Path, offset: int) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        file.seek(offset)
        yield file
