"""Hold a promotion against orders of the past."""

import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.kernel.errors import DomainError
from apps.kernel.money import Money
from apps.orders.models import PromotionSimulation
from apps.orders.services.simulations import advance_simulation, start_simulation

PAUSE_SECONDS = 0.2


class Command(BaseCommand):
    """`simulate` waits until the simulation is finished. No order is changed."""

    help = "Simulate a promotion on past orders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        simulate = actions.add_parser("simulate", help="what it would have taken off")
        simulate.add_argument("promotion", type=UUID)
        simulate.add_argument("--from", dest="begins", type=_moment, required=True)
        simulate.add_argument("--until", dest="ends", type=_moment, required=True)
        simulate.add_argument("--limit", type=int, help="at most so many orders, oldest first")

    def handle(self, *args: object, **options: Any) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("The limit is one order, or more.")
        try:
            simulation = start_simulation(
                promotion_id=options["promotion"],
                placed_from=options["begins"],
                placed_until=options["ends"],
                most_orders=options["limit"],
            )
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        while simulation.state == PromotionSimulation.State.RUNNING:
            if not advance_simulation():
                time.sleep(PAUSE_SECONDS)  # a worker has it
            simulation.refresh_from_db()
        if simulation.state == PromotionSimulation.State.STOPPED:
            raise CommandError(f"It has stopped: {simulation.stopped_because}.")
        self._tell(simulation)

    def _tell(self, simulation: PromotionSimulation) -> None:
        self.stdout.write(
            f"{simulation.orders_seen} orders, {simulation.orders_affected} affected, "
            f"{simulation.orders_incomplete} incomplete, {simulation.orders_differing} differing."
        )
        for currency, each in sorted(simulation.amounts.items()):
            told = {name: Money(minor, currency).amount for name, minor in each.items()}
            self.stdout.write(
                f"{currency}: {told['discount']} off; {told['before']} before, "
                f"{told['after']} after."
            )
        for key, each in sorted(simulation.conflicts.items()):
            self.stdout.write(
                f"{key}: displaced in {each['displaced']} orders, keeps it out of "
                f"{each['keeps_out']}."
            )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
