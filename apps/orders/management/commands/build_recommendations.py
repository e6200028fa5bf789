"""`manage.py build_recommendations`: what goes with what, from the orders that were paid."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.catalog import interface as catalog
from apps.orders.selectors.companions import companions


class Command(BaseCommand):
    """Count anew what is bought together. Until it is done, the old answer stands."""

    help = "Compute from the paid orders what is bought together. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days", type=int, default=365, help="how old an order may be (default: 365)"
        )

    def handle(self, *, days: int, **_: Any) -> None:
        if not 1 <= days <= 36_500:
            raise CommandError("--days takes a number from 1 to 36500.")
        with transaction.atomic():
            kept = catalog.keep_companions(companions=companions(within=timedelta(days=days)))
        self.stdout.write(
            f"Bought together: {kept.written:,} pairs new or changed, {kept.forgotten:,} gone."
        )
