"""`manage.py generate_catalog`: as many products as somebody wants to try a store with."""

import resource
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.catalog.management.generator import generated
from apps.catalog.services.categories import count_products
from apps.catalog.services.imports.programs import import_products


class Command(BaseCommand):
    """Fill the store with made-up products. What is there already stays as it is."""

    help = "Make up products from a seed: the same numbers give the same catalog. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=int, required=True, metavar="N")
        parser.add_argument("--seed", type=int, default=1, help="another seed, other products")

    def handle(self, *, products: int, seed: int, **_: Any) -> None:
        if products < 1 or seed < 0:
            raise CommandError("--products takes a number from 1 on, --seed one from 0 on.")
        began = time.monotonic()
        report = import_products(records=generated(products=products, seed=seed))
        count_products()
        seconds = time.monotonic() - began
        self.stdout.write(
            f"{len(report.created):,} products added, {len(report.kept):,} were there,"
            f" {len(report.refused):,} refused; {products / seconds:,.0f} products/s,"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most."
        )
