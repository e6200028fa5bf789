"""Bring what is encrypted at rest under a new SECRET_KEY, before the former one is taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.users.services import second_factors, signing_keys


class Command(BaseCommand):
    """May be repeated. Run it while the former key is in SECRET_KEY_FALLBACKS."""

    help = "Encrypt the stored secrets under SECRET_KEY; afterwards no fallback is needed."

    def handle(self, *args: object, **options: Any) -> None:
        counts = (signing_keys.reencrypt(), second_factors.reencrypt())
        done, lost = (sum(column) for column in zip(*counts, strict=True))
        self.stdout.write(f"{done} secrets are under the present SECRET_KEY.")
        if lost:
            raise CommandError(f"{lost} are under a key that is not in SECRET_KEY_FALLBACKS.")
