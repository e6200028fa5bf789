"""`manage.py check_migrations`: may the pending change run beside the release that is selling?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.kernel.migration_gate.findings import Verdict
from apps.kernel.migration_gate.gate import judge, known_to_release, let_tables_be_emptied
from apps.kernel.migration_gate.previous_release import PreviousRelease, UnknownRelease
from apps.kernel.migration_gate.scratch import scratch_database


class Command(BaseCommand):
    """Judge migrations on a scratch database of the default server."""

    help = (
        "Measure the locks, table scans and rewrites of migrations, and what they take away from "
        "code that knows the schema before them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base",
            help=(
                "the release that still runs, a revision of git, or `auto`: only migrations that "
                "it lacks are judged, and its tests run on the new schema"
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            previous = PreviousRelease.named(options["base"]) if options["base"] else None
        except UnknownRelease as refusal:
            raise CommandError(str(refusal)) from refusal
        if previous:
            self.stdout.write(f"The release that still runs: {previous.describe()}")
        with scratch_database() as connection:
            verdicts = list(judge(connection, previous.migrations() if previous else None))
            for each in verdicts:
                self._show(each)
            refused = [each.migration for each in verdicts if each.refused]
            if refused:
                raise CommandError(f"Refused: {', '.join(refused)}. docs/migrations.md tells how.")
            if previous and verdicts:
                known = known_to_release(connection, previous.migrations())
                let_tables_be_emptied(connection, known)
                connection.close()
                if code := previous.run_tests(connection.settings_dict):
                    raise CommandError(
                        f"The tests of {previous.describe()} fail on the new schema "
                        f"(exit code {code}): that release would give errors while it still runs."
                    )
        self.stdout.write(
            f"{len(verdicts)} migrations may run beside a store that is selling."
            if verdicts
            else "There is no migration that the release lacks."
        )

    def _show(self, each: Verdict) -> None:
        if not (each.refused or each.accepted):
            self.stdout.write(f"{each.migration}: safe")
        for finding, reason in each.accepted:
            self.stdout.write(f"{each.migration}: accepted: {finding.code}. {reason}")
        for finding in each.refused:
            self.stdout.write(
                f"{each.migration}: {finding.effect}: {finding.code}. {finding.detail}"
            )
