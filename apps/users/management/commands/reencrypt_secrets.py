"""Bring what is encrypted at rest under a new SECRET_KEY, before the former one is taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.users.services import signing_keys


class Command(BaseCommand):
    """May be repeated. Run it while the former key is in SECRET_KEY_FALLBACKS."""

    help = "Encrypt the stored secrets under SECRET_KEY; afterwards no fallback is needed."

    def handle(self, *args: object, **options: Any) -> None:
        done, lost = signing_keys.reencrypt()
        self.stdout.write(f"{done} secrets are under the present SECRET_KEY.")
        if lost:
            raise CommandError(f"{lost} are under a key that is not in SECRET_KEY_FALLBACKS.")
