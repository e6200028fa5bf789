"""Give access tokens a new key, without a restart and without anybody being refused."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.kernel.errors import DomainError
from apps.users.services import signing_keys


class Command(BaseCommand):
    """One row is all: by the database's time every process follows."""

    help = "Publish a new key for access tokens; it signs after a while, the former one ends later."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--wait",
            type=int,
            default=int(signing_keys.WAIT.total_seconds()),
            metavar="SECONDS",
            help="how long the key is published before it signs (default: %(default)s)",
        )
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="end all former keys when the new one signs: clients have to renew their tokens",
        )

    def handle(self, *args: object, wait: int, compromised: bool, **options: Any) -> None:
        try:
            done = signing_keys.rotate(wait=timedelta(seconds=wait), compromised=compromised)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(
            f"Key {done.kid} is published, signs from {done.signs_from:%H:%M:%S} UTC;"
            f" the one before verifies until {done.former_until:%H:%M:%S} UTC."
        )
