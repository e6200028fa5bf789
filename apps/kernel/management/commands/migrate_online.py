"""`manage.py migrate_online`: what a deployment runs before its new processes start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.kernel.schema_changes import TRIES, NotMigrated, migrate_online


class Command(BaseCommand):
    """Apply pending migrations beside a store that is selling."""

    help = "Apply pending migrations with bounded waits for locks, one process at a time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=600, help="seconds to wait for another run (600)"
        )
        parser.add_argument(
            "--tries", type=int, default=TRIES, help=f"tries to get a lock ({TRIES})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        say = self.stdout.write if options["verbosity"] else _be_silent
        try:
            migrate_online(say=say, wait_seconds=options["wait"], tries=options["tries"])
        except NotMigrated as refusal:
            raise CommandError(str(refusal)) from refusal


def _be_silent(line: str) -> None:
    """What `--verbosity=0` asks for."""
