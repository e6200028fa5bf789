"""Look into personal data, hand it out, erase it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.kernel.errors import DomainError
from apps.kernel.privacy import Person
from ecommerce.privacy import inventory
from ecommerce.privacy.services import erased, erasures
from ecommerce.privacy.services.archives import archive_of
from ecommerce.privacy.services.people import UnknownPerson, account_of, holder_of
from ecommerce.privacy.services.scan import hits


class Command(BaseCommand):
    """`scan` ends with 1 when it finds something, and says where."""

    help = "What the store keeps of people: hand it out, erase it, look for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("inventory", help="write docs/personal-data.md to stdout")
        export = actions.add_parser("export", help="write an archive of a person's data")
        export.add_argument("--to", type=Path, required=True, help="the zip file to write")
        erase = actions.add_parser("erase", help="have workers erase a person, beginning now")
        for action in (export, erase):
            whose = action.add_mutually_exclusive_group(required=True)
            whose.add_argument("--email", help="of an account, or of a guest without one")
            whose.add_argument("--user", type=UUID, help="the id of an account")
        scan = actions.add_parser("scan", help="look for words in tables, Redis and files")
        scan.add_argument("words", nargs="+", help="an address, a name, an id: any text")
        reapply = actions.add_parser("reapply", help="after a restore: erase again who was erased")
        reapply.add_argument("--log", type=Path, help="a file with log lines that tell of more")

    def handle(self, *args: object, action: str, **options: Any) -> None:
        match action:
            case "inventory":
                self.stdout.write(inventory.as_markdown(), ending="")
            case "export":
                self._export(_person(**options), options["to"])
            case "erase":
                self._erase(_person(**options))
            case "scan":
                self._scan(options["words"])
            case "reapply":
                self._reapply(options["log"])

    def _export(self, person: Person, to: Path) -> None:
        to.touch(mode=0o600)
        to.write_bytes(archive_of(person, at=timezone.now()))
        self.stdout.write(f"Written to {to}.")

    def _erase(self, person: Person) -> None:
        try:
            request = erasures.promise(person)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(
            f"Request {request.pk}: workers close the account now and erase the person in minutes, "
            "or once no order is open any more."
        )

    def _scan(self, words: list[str]) -> None:
        found = 0
        for hit in hits(words):
            found += hit.times
            self.stdout.write(f"{hit.place}: {hit.times}")
        if found:
            raise CommandError(f"Found {found} times.")
        self.stdout.write("Found nowhere.")

    def _reapply(self, file: Path | None) -> None:
        try:
            listed = [*erased.entries(), *(erased.entries_in(file.read_text()) if file else ())]
        except OSError as error:
            raise CommandError(f"The list of erasures cannot be read: {error}") from error
        again = 0
        for person in erased.still_there(listed):
            try:
                erasures.promise(person)
                again += 1
            except DomainError as refusal:
                self.stderr.write(f"{person.user_id or 'a guest'}: {refusal.detail}")
        self.stdout.write(f"{len(listed)} erasures are listed; {again} persons are erased again.")


def _person(*, email: str | None, user: UUID | None, **_: object) -> Person:
    """Return whom the operator means: an account, or a guest without one."""
    if user is not None:
        return holder_of(user)
    try:
        return account_of(str(email))
    except UnknownPerson:
        return Person(None, frozenset({str(email).strip().lower()}))
