"""`manage.py sync_roles`: the roles of this release, beside what staff have changed."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.users.services.declared_roles import UndeclaredPermission, sync_roles


class Command(BaseCommand):
    """Idempotent; `migrate_online` runs it after the migrations."""

    help = "Make the roles that this release declares, keeping what staff have changed in them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reset",
            action="append",
            default=[],
            choices=sorted(settings.ROLES),
            metavar="CODE",
            help="give this role exactly what the release declares (may be repeated)",
        )

    def handle(self, *args: object, reset: list[str], **options: Any) -> None:
        try:
            changed = sync_roles(declared=settings.ROLES, reset=reset)
        except UndeclaredPermission as refusal:
            raise CommandError(refusal.detail) from refusal
        if options["verbosity"]:
            self.stdout.write(f"Roles changed: {', '.join(changed) or 'none'}.")
