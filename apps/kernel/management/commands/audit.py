"""Check the audit log, or write it out."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.kernel.anchors import anchor, anchors, anchors_in
from apps.kernel.audit import findings, head_of_chain, seal
from apps.kernel.json import dumps
from apps.kernel.models import AuditEntry


class Command(BaseCommand):
    """`verify` ends with 1 when the log was tampered with; `export` writes JSON lines."""

    help = "Verify that nobody has changed the audit log, or export it as JSON lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="check every entry, hash and anchor")
        verify.add_argument("--anchors", type=Path, help="a file with log lines that tell of more")
        actions.add_parser("export", help="write all sealed entries to stdout as JSON lines")
        actions.add_parser("seal", help="seal and anchor what is open, now")

    def handle(self, *args: object, action: str, **options: Any) -> None:
        match action:
            case "verify":
                self._verify(options["anchors"])
            case "export":
                self._export()
            case "seal":
                self._seal()

    def _verify(self, file: Path | None) -> None:
        try:
            known = [*anchors(), *(anchors_in(file.read_text()) if file else ())]
        except OSError as error:
            raise CommandError(f"The anchors cannot be read: {error}") from error
        wrong = list(findings(known))
        for finding in wrong:
            self.stderr.write(finding)
        seq, head = head_of_chain()
        if wrong:
            raise CommandError(f"The audit log is not whole: {len(wrong)} findings.")
        self.stdout.write(f"{seq} entries are whole, {len(known)} anchors fit. Head: {head.hex()}")

    def _export(self) -> None:
        names = [
            field.name
            for field in AuditEntry._meta.fields
            if field.name not in {"ip_salt", "ip_digest"}
        ]
        for line in AuditEntry.objects.exclude(seq=None).order_by("seq").values(*names).iterator():
            line["hash"] = bytes(line["hash"]).hex()
            self.stdout.write(dumps(line).decode())

    def _seal(self) -> None:
        sealed = 0
        while batch := seal():
            sealed += batch
        anchor(at=timezone.now())
        self.stdout.write(f"{sealed} entries sealed.")
