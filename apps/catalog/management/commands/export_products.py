"""Write all products to a file that import_products takes: `manage.py export_products`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.catalog.models.exchange import Format
from apps.catalog.services.exports import all_pieces


class Command(BaseCommand):
    """Write all products as CSV or JSON Lines (docs/imports.md)."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file and what is in it."""
        parser.add_argument("--format", choices=Format.values, default=Format.CSV)
        parser.add_argument("--output", type=Path, help="else the standard output")
        parser.add_argument("--with-stock", action="store_true", help="with the column on_hand")

    def handle(self, *, output: Path | None, with_stock: bool, **options: Any) -> None:
        """Write the file; an unfinished one never stands where a finished one is looked for."""
        pieces = all_pieces(file_format=Format(options["format"]), with_stock=with_stock)
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            return
        partial = output.with_name(f"{output.name}.partial")
        with partial.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        partial.replace(output)
