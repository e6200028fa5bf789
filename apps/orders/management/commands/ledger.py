"""Prove the money ledger, or complete it for orders that are older than it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.orders.payments.gateway import OutcomeUnknown
from apps.orders.selectors.ledger import orders_without_postings
from apps.orders.services.invariants import ledger_violations
from apps.orders.services.ledger import complete


class Command(BaseCommand):
    """`verify` ends with 1 when something differs; `backfill` may be repeated."""

    help = "Verify that ledger = payments and refunds = the provider's; post what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="one line for each difference")
        verify.add_argument(
            "--without-provider", action="store_true", help="do not ask the payment provider"
        )
        actions.add_parser("backfill", help="post what orders older than the ledger have moved")

    def handle(self, *args: object, action: str, **options: Any) -> None:
        match action:
            case "verify":
                self._verify(ask_providers=not options["without_provider"])
            case "backfill":
                self._backfill()

    def _verify(self, *, ask_providers: bool) -> None:
        try:
            found = list(ledger_violations(ask_providers=ask_providers))
        except OutcomeUnknown as error:
            raise CommandError(f"The payment provider does not answer: {error}") from error
        for violation in found:
            self.stderr.write(f"{violation.rule}: {violation.subject} {violation.detail}")
        if found:
            raise CommandError(f"{len(found)} differences.")
        self.stdout.write("The ledger agrees with payments and refunds.")

    def _backfill(self) -> None:
        orders = posted = 0
        for order_id in orders_without_postings():
            posted += complete(order_id)
            orders += 1
        self.stdout.write(f"{posted} postings of {orders} orders were missing.")
