"""What an operator does about a second factor: take it away, or show a code on this machine."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

import pyotp
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.kernel.encryption import decrypted
from apps.kernel.errors import DomainError
from apps.users.models import SecondFactor, User, normalised
from apps.users.services import second_factors

LOCAL = {"127.0.0.1", "::1", "localhost"}


class Command(BaseCommand):
    """`remove` is for whoever has lost app and recovery codes; all their sessions end."""

    help = "Remove somebody's second factor, or show its present code in a local store."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["remove", "code"])
        parser.add_argument("--email", required=True)

    def handle(self, *args: object, action: str, email: str, **options: Any) -> None:
        user = User.objects.filter(email=normalised(email)).first()
        if user is None:
            raise CommandError(f"There is no account {email}.")
        if action == "code":
            self._show_code(user)
            return
        try:
            second_factors.remove(user_id=user.pk, session=None)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{email} has no second factor any more.")

    def _show_code(self, user: User) -> None:
        if urlsplit(settings.PUBLIC_URL).hostname not in LOCAL:
            raise CommandError("Codes are shown only in a store on this machine.")
        factor = SecondFactor.objects.filter(user=user).first()
        if factor is None:
            raise CommandError(f"{user} has no second factor: log in at /admin/ to set one up.")
        self.stdout.write(pyotp.TOTP(decrypted(factor.secret).decode()).now())
