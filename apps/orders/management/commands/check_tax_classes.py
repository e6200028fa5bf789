"""Tell which tax classes products name that nobody knows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.orders.selectors.taxes import unknown_tax_classes


class Command(BaseCommand):
    help = "List the tax classes that products name and that do not exist; they are taxed normally."

    def handle(self, *args: Any, **options: Any) -> None:
        found = unknown_tax_classes()
        for code, products in found.items():
            self.stderr.write(f"{code}: {products} products are taxed as the default class.")
        if found:
            raise CommandError(f"{len(found)} unknown tax classes.")
        self.stdout.write("All tax classes that products name exist.")
