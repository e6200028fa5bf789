"""Look into personal data, hand it out, erase it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ecommerce.privacy import inventory


class Command(BaseCommand):
    """`inventory` writes the page about all columns."""

    help = "What the store keeps of people."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("inventory", help="write docs/personal-data.md to stdout")

    def handle(self, *args: object, action: str, **options: Any) -> None:
        match action:
            case "inventory":
                self.stdout.write(inventory.as_markdown(), ending="")
