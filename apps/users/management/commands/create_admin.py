"""Create the first person who may enter the back office."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from apps.users.models import is_ascii
from apps.users.services import accounts


class Command(BaseCommand):
    """Idempotent: an account that exists stays as it is, unless --reset asks for the password."""

    help = "Create a superuser whose password is in the environment variable ADMIN_PASSWORD."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, help="the address to log in with")
        parser.add_argument(
            "--reset",
            action="store_true",
            help="set the password and rights again if the account exists",
        )

    def handle(self, *args: object, email: str, reset: bool, **options: Any) -> None:
        password = os.environ.get("ADMIN_PASSWORD", "")
        if not password:
            raise CommandError("Set the environment variable ADMIN_PASSWORD.")
        try:
            validate_email(email)
            is_ascii(email)
        except ValidationError as error:
            raise CommandError(f"{email} is no e-mail address.") from error
        outcome = accounts.ensure_admin(email=email, password=password, reset=reset)
        self.stdout.write(f"Admin {email}: {outcome}.")
