"""Prove that stock, orders and payments agree with each other and with the provider."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.orders.payments.gateway import OutcomeUnknown
from apps.orders.services.invariants import violations


class Command(BaseCommand):
    help = "Check stock ledger = balances, order totals = lines, our payments = the provider's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--without-provider",
            action="store_true",
            help="Do not ask the payment provider.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = list(violations(ask_providers=not options["without_provider"]))
        except OutcomeUnknown as error:
            raise CommandError(f"The payment provider does not answer: {error}") from error
        for violation in found:
            self.stderr.write(f"{violation.rule}: {violation.subject} {violation.detail}")
        if found:
            raise CommandError(f"{len(found)} violations.")
        self.stdout.write("All invariants hold.")
