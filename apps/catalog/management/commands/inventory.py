"""Prove the balances by their ledger, and give back what was held too long."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.catalog.selectors.offers import stock_differences
from apps.catalog.selectors.stock_transfers import transfer_differences
from apps.catalog.services.stock import expire_reservations, repair_balances


class Command(BaseCommand):
    help = "Compare balances, ledger and reservations; release what is held longer than promised."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="recompute the balances from the ledger")
        verify.add_argument(
            "--repair", action="store_true", help="write what the ledger says into the balances"
        )
        actions.add_parser("expire-reservations", help="release what is held too long")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "expire-reservations":
            self._expire()
        else:
            self._verify(repair=options["repair"])

    def _expire(self) -> None:
        released = 0
        while some := expire_reservations():
            released += some
        self.stdout.write(f"{released} orders hold their stock no more.")

    def _verify(self, *, repair: bool) -> None:
        if repair:
            self.stdout.write(f"{repair_balances()} balances repaired.")
        differences = stock_differences()
        for found in differences:
            self.stderr.write(
                f"{found.sku} at {found.location}: "
                f"on hand {found.on_hand}, by the ledger {found.ledger_on_hand}; "
                f"reserved {found.reserved}, by the ledger {found.ledger_reserved}, "
                f"by the orders {found.reserved_by_orders}; "
                f"allocated {found.allocated}, by the ledger {found.ledger_allocated}, "
                f"by the orders {found.allocated_to_orders}"
            )
        transfers = transfer_differences()
        for gone in transfers:
            self.stderr.write(
                f"{gone.sku} of transfer {gone.transfer_id}: {gone.not_arrived} have not arrived, "
                f"by the ledger {gone.ledger_not_arrived}"
            )
        if differences:
            raise CommandError(f"{len(differences)} balances are not what the ledger says.")
        if transfers:
            raise CommandError(f"{len(transfers)} lines of transfers are not what the ledger says.")
        self.stdout.write("Every balance is what the ledger says.")
