"""Tell Prometheus what the database knows: orders, money, open work, stock, invariants."""

import signal
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from prometheus_client import REGISTRY

from ecommerce.monitoring import servers, shop
from ecommerce.monitoring.exposition import Pulse, serve
from ecommerce.monitoring.readings import Reading, Readings


def readings() -> Readings:
    """Return all that is asked, and how often."""
    return Readings(
        [
            Reading("redis", servers.redis),
            Reading("database", servers.database),
            Reading("work", shop.work),
            # The first one counts everything that has ever happened.
            Reading("trade", shop.Trade().read, patience=50),
            Reading("refunds", shop.refunds),
            Reading("stock", shop.stock, every=60),
            Reading("invariants", shop.invariants, every=300, patience=30),
        ]
    )


class Command(BaseCommand):
    help = "Serve figures of the shop on METRICS_PORT, until told to stop. Run exactly one."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.METRICS_PORT:
            raise CommandError("Set METRICS_PORT to the port on which to serve the figures.")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        pulse = Pulse()
        figures = readings()
        REGISTRY.register(figures)
        serve(host=settings.METRICS_HOST, port=settings.METRICS_PORT, pulse=pulse)
        while not stop.is_set():
            figures.take_due(time.monotonic())
            pulse.beat()
            stop.wait(1)
