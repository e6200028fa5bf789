"""Make a store right whose database was restored, before it opens."""

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.dateparse import parse_datetime

from apps.kernel.audit import RESTORED, record
from apps.kernel.money import format_minor
from apps.orders.models import CreditNoteNumbers, InvoiceNumbers, OrderNumbers
from apps.orders.payments import PROVIDERS
from apps.orders.payments.gateway import OutcomeUnknown
from apps.orders.services import strays
from apps.orders.services.invariants import violations
from apps.orders.services.numbers import skip
from apps.users import interface as users

# More than a store can sell in the minute that a restore may lose.
LOST_NUMBERS = 10_000


class Command(BaseCommand):
    """Without --apply nothing is changed. May be repeated."""

    help = (
        "List payments that the restored database has forgotten. With --apply: send them back by "
        "durable rows, end all sessions, skip numbers of orders, invoices and credit notes, "
        "empty the cache."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="do it")
        parser.add_argument(
            "--since",
            type=_moment,
            help="look at the provider's payments since this time (ISO 8601 with an offset); "
            "without it since the newest payment that the database knows",
        )
        parser.add_argument(
            "--at-most",
            type=int,
            default=1_000,
            help="do nothing when more payments than these were forgotten (default: 1000): then "
            "this may be the wrong database, or the wrong account at the provider",
        )

    def handle(
        self,
        *args: object,
        apply: bool,
        since: datetime | None,
        at_most: int,
        **options: Any,
    ) -> None:
        windows = [self._look_into(provider, since) for provider in PROVIDERS]
        self._tell(windows)
        found = sum(len(window.strays) for window in windows)
        if found > at_most:
            raise CommandError(
                f"{found} forgotten payments are more than --at-most {at_most}; "
                "nothing was changed."
            )
        self._require_consistency()
        if not apply:
            self.stdout.write("Nothing was changed; --apply does it.")
            return
        for window in windows:
            strays.promise_to_settle(window)
        ended = users.end_all_after_restore()
        with transaction.atomic():
            record(RESTORED, about="store", after={"forgotten_payments": found})
        for numbers in (OrderNumbers, InvoiceNumbers, CreditNoteNumbers):
            skip(numbers, LOST_NUMBERS)
        cache.clear()
        self.stdout.write(
            f"{found} payments go back, {ended} sessions ended, {LOST_NUMBERS} numbers of "
            "orders, invoices and credit notes skipped, cache emptied. Open the store; then "
            "check_invariants must find nothing. `privacy reapply` "
            "erases again who was erased since."
        )

    def _look_into(self, provider: str, since: datetime | None) -> strays.LostWindow:
        try:
            window = strays.look_into(provider, since=since)
        except OutcomeUnknown as error:
            raise CommandError(f"The payment provider does not answer: {error}") from error
        if window is None:
            raise CommandError("The database knows no payment; say with --since where to begin.")
        return window

    def _tell(self, windows: Iterable[strays.LostWindow]) -> None:
        for window in windows:
            for state in window.strays:
                amount = format_minor(state.amount_minor, state.currency)
                self.stdout.write(
                    f"forgotten: {state.reference} {state.status} {amount} {state.currency}"
                )
            for order_id in window.refunded_orders:
                self.stdout.write(f"refunded there, paid here: order {order_id}")
            for attempt_id, minor in window.lost_refunds.items():
                self.stdout.write(f"forgotten refund: {minor} in minor units of {attempt_id}")

    def _require_consistency(self) -> None:
        """It must agree with itself; with the provider it agrees once workers have run."""
        wrong = list(violations(ask_providers=False, workers_run=False))
        for violation in wrong:
            self.stderr.write(f"{violation.rule}: {violation.subject} {violation.detail}")
        if wrong:
            raise CommandError(f"{len(wrong)} violations; nothing was changed.")


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError
    return moment
