"""Readings: questions that are asked again and again, one after the other, never two at once."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import Error, connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reading:
    """One question, how often it is asked (seconds), and how long the database may take for it."""

    name: str
    ask: Callable[[], Iterable[Metric]]
    every: float = 15
    patience: float = 5
    due: float = 0.0
    answer: list[Metric] = field(default_factory=list)
    succeeded_at: float = 0.0
    duration: float = 0.0
    failures: int = 0


class Readings(Collector):
    """The last answers to all questions. An answer stays until there is a newer one."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def take_due(self, now: float) -> None:
        """Ask what is due by this clock. What cannot be answered is counted and asked again."""
        for reading in self._readings:
            if reading.due <= now:
                # Not "due + every": after a long stall the missed ones are not caught up.
                reading.due = now + reading.every
                self._take(reading)

    def collect(self) -> Iterator[Metric]:
        """Yield the last answers, and of what age they are."""
        succeeded = GaugeMetricFamily(
            "exporter_last_success_timestamp_seconds", "Of each reading.", labels=["reading"]
        )
        duration = GaugeMetricFamily(
            "exporter_reading_duration_seconds", "Of the last one.", labels=["reading"]
        )
        failures = CounterMetricFamily(
            "exporter_reading_failures", "Readings without an answer.", labels=["reading"]
        )
        for reading in self._readings:
            succeeded.add_metric([reading.name], reading.succeeded_at)
            duration.add_metric([reading.name], reading.duration)
            failures.add_metric([reading.name], reading.failures)
            yield from reading.answer
        yield from (succeeded, duration, failures)

    def _take(self, reading: Reading) -> None:
        started = time.monotonic()
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, false)",
                    [str(int(reading.patience * 1000))],
                )
            reading.answer = list(reading.ask())
            reading.succeeded_at = time.time()
        except Error:
            reading.failures += 1
            log.warning("The reading %s has no answer.", reading.name, exc_info=True)
            connection.close()
        reading.duration = time.monotonic() - started
