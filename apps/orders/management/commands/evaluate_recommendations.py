"""`manage.py evaluate_recommendations`: how well "bought together" foretells real baskets."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.orders.management.complete_journey.progress import Progress
from apps.orders.management.complete_journey.source import DataMissing, find_source


class Command(BaseCommand):
    """Learn from the earlier receipts of the data set and ask the later ones. Keeps nothing."""

    help = (
        "Compute what is bought together from the earlier baskets of The Complete Journey, and"
        " look for one hidden product of each later basket among the ten best."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, metavar="DIR", help="default: the data package")
        parser.add_argument(
            "--held-out",
            type=int,
            default=10,
            metavar="PERCENT",
            help="how many of the baskets, the latest, are asked (default: 10)",
        )

    def handle(self, *, data: Path | None, held_out: int, **_: Any) -> None:
        if not 1 <= held_out <= 99:
            raise CommandError("--held-out takes a percentage from 1 to 99.")
        try:
            source = find_source(data)
            # Only now it is known that pyarrow is there, which is an optional extra.
            from apps.orders.management.complete_journey.companions import evaluate
            from apps.orders.management.complete_journey.purchases import rows_in

            progress = Progress(self.stdout, "Reading receipts", rows_in(source.transactions))
            try:
                found = evaluate(source, progress.advance, held_out=held_out / 100)
            finally:
                progress.finish()
        except DataMissing as error:
            raise CommandError(str(error)) from error
        if not found.baskets_held_out:
            raise CommandError("There are no baskets of two products or more to ask.")
        self.stdout.write(
            f"{found.baskets_learned:,} baskets learned, {found.baskets_held_out:,} asked."
        )
        for name, hits in (
            ("bought together", found.hits),
            ("most popular", found.hits_by_popularity),
        ):
            rate = hits / found.baskets_held_out
            self.stdout.write(f"  hit rate at 10, {name}: {rate:.4f}")
