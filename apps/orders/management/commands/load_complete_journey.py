"""`manage.py load_complete_journey`: a real catalog, and real baskets as orders."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from apps.orders.management.complete_journey.progress import Progress
from apps.orders.management.complete_journey.source import DataMissing, find_source

LOCK = 7_316_550_502


class Command(BaseCommand):
    """Load the data set; what is there already stays as it is."""

    help = (
        "Load the products of The Complete Journey, and replay its first baskets as orders."
        " Can be interrupted and repeated: a second run changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--baskets", type=int, default=0, metavar="N", help="replay the first N baskets"
        )
        parser.add_argument(
            "--recommendations",
            action="store_true",
            help="learn from all receipts what is bought together",
        )
        parser.add_argument(
            "--data",
            type=Path,
            metavar="DIR",
            help="where products.parquet and transactions.parquet are (default: the package)",
        )
        parser.add_argument(
            "--report",
            type=Path,
            default=settings.BASE_DIR / ".local" / "reports" / "complete-journey",
            metavar="DIR",
            help="where to write which rows were left out and why (default: %(default)s)",
        )

    def handle(
        self,
        *,
        baskets: int,
        recommendations: bool,
        data: Path | None,
        report: Path,
        **_: Any,
    ) -> None:
        if baskets < 0:
            raise CommandError("--baskets takes a number from 0 on.")
        try:
            source = find_source(data)
            # Only now it is known that pyarrow is there, which is an optional extra.
            from apps.orders.management.complete_journey.load import load

            with self._alone():
                summary = load(
                    source,
                    baskets=baskets,
                    recommendations=recommendations,
                    report=report,
                    show_progress=self._progress,
                )
        except DataMissing as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Interrupted. Run it again to go on.", returncode=130) from error
        self._tell(summary, report)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one load run at a time. Two would not spoil anything, but one would fail."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            (alone,) = cursor.fetchone()
        if not alone:
            raise CommandError("Another load is running.")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

    def _progress(self, label: str, total: int) -> Progress:
        return Progress(self.stdout, label, total)

    def _tell(self, summary: dict[str, Any], report: Path) -> None:
        for name, account in summary.items():
            if isinstance(account, dict):
                self._tell_account(name.replace("_", " ").capitalize(), account)
        if "pairs" in summary:
            self.stdout.write(f"Bought together: {summary['pairs']:,} pairs new or changed.")
        placed = summary["baskets"]["taken"].get("placed", 0) if "baskets" in summary else 0
        if not summary["products"]["taken"]["created"] and not placed:
            self.stdout.write("Nothing changed: all of it was there already.")
        self.stdout.write(
            f"{summary['seconds']} s, {summary['peak_memory_mb']} MB at most."
            f" What was left out: {report}"
        )

    def _tell_account(self, name: str, account: dict[str, Any]) -> None:
        self.stdout.write(f"{name}: {account['read']:,} read")
        for kind in ("taken", "left_out"):
            for what, rows in account[kind].items():
                sign = "+" if kind == "taken" else "-"
                self.stdout.write(f"  {sign} {rows:>9,} {what.replace('_', ' ')}")
