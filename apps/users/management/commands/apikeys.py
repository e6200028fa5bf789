"""`manage.py apikeys`: list, create and revoke the keys of programs."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.kernel.errors import DomainError
from apps.users.models import User, normalised
from apps.users.selectors.api_keys import api_keys
from apps.users.services.api_keys import create_key, network_of_key, revoke_key
from apps.users.services.roles import granter


class Command(BaseCommand):
    """A key that is made here reaches no further than one that its owner makes."""

    help = "List, create or revoke API keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="all keys that still work, one a line")
        create = actions.add_parser("create", help="make a key and show its secret, once")
        create.add_argument("--owner", required=True, metavar="EMAIL", help="for whom it acts")
        create.add_argument("--name", required=True)
        create.add_argument(
            "--scope", required=True, action="append", help="a permission (may be repeated)"
        )
        create.add_argument("--days", type=int, default=90, help="until it expires (90)")
        create.add_argument("--network", action="append", default=[], help="CIDR (may be repeated)")
        revoke = actions.add_parser("revoke", help="end a key at once")
        revoke.add_argument("id", type=UUID)

    def handle(self, *args: object, action: str, **options: Any) -> None:
        try:
            match action:
                case "list":
                    self._list()
                case "create":
                    self._create(options)
                case "revoke":
                    revoke_key(key_id=options["id"])
                    self.stdout.write("Revoked.")
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal

    def _list(self) -> None:
        for row in api_keys().filter(revoked_at=None, expires_at__gt=timezone.now()):
            until, used = row["expires_at"], row["last_used_at"]
            self.stdout.write(
                f"{row['id']} {row['hint']}… until {until:%Y-%m-%d}"
                f" used {f'{used:%Y-%m-%d}' if used else 'never'} {row['name']}"
            )

    def _create(self, options: dict[str, Any]) -> None:
        owner = User.objects.filter(email=normalised(options["owner"]), is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no account {options['owner']}.")
        try:
            networks = [network_of_key(text) for text in options["network"]]
        except ValueError as error:
            raise CommandError("That is no network: 192.0.2.0/24, 2001:db8::/32.") from error
        issued = create_key(
            by=granter(owner),
            owner_id=owner.pk,
            name=options["name"],
            scopes=options["scope"],
            networks=networks,
            expires_at=timezone.now() + timedelta(days=options["days"]),
        )
        self.stdout.write(f"{issued.key.pk}\n{issued.secret}")
