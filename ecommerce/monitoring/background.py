"""What workers and beat tell: tasks, how long wake-ups wait, and that the main loop turns.

Everything is counted in the worker's main process. It hears of every task's end, also when a child
was killed in the middle of one, and needs no files that children share.
"""

import logging
import time
from functools import cached_property
from typing import Any

from celery import Task, current_app
from celery.beat import PersistentScheduler
from celery.exceptions import Ignore, Reject, Retry, TimeLimitExceeded, WorkerLostError
from celery.signals import before_task_publish, task_revoked, worker_process_init
from celery.worker import request as worker_request
from celery.worker.consumer import Consumer
from celery.worker.state import active_requests
from django.conf import settings
from kombu.asynchronous import Hub
from prometheus_client import Counter, Gauge, Histogram

from ecommerce.monitoring.exposition import Pulse, serve

log = logging.getLogger(__name__)

EVERY = 5  # seconds between two turns of a quiet worker's loop
SENT_AT = "sent_at"
BOUNDS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)
OUTCOMES: dict[type[Exception], str] = {
    Retry: "retried",
    Ignore: "ignored",
    Reject: "rejected",
    TimeLimitExceeded: "timed_out",
    WorkerLostError: "lost",
}

TASKS = Counter("celery_tasks", "Tasks that ended, and how.", ["task", "outcome"])
DURATION = Histogram("celery_task_duration_seconds", "Time at work.", ["task"], buckets=BOUNDS)
WAITED = Histogram(
    "celery_task_wait_seconds", "From sending a message to its start.", ["task"], buckets=BOUNDS
)
ACTIVE = Gauge("celery_tasks_active", "Tasks at work now.")
WAKE_UPS = Counter("celery_beat_wake_ups", "Messages that beat has sent.", ["task"])

pulse = Pulse()


class MeasuredRequest(worker_request.Request):
    """A task in the worker's main process, counted when it starts and when it ends."""

    def __init_subclass__(cls, **options: Any) -> None:
        # Celery makes a subclass for each task, whose on_success calls no inherited one.
        super().__init_subclass__(**options)
        finish = cls.on_success

        def on_success(self: "MeasuredRequest", result: Any, **kwargs: Any) -> Any:
            failed, _, runtime = result
            if runtime is not None:  # a task that raised has none
                DURATION.labels(self.name).observe(runtime)
            if not failed:  # else Celery calls on_failure
                TASKS.labels(self.name, "succeeded").inc()
            return finish(self, result, **kwargs)

        cls.on_success = on_success

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        """Count how long the message has waited. Called when a child begins with it."""
        super().on_accepted(pid, time_accepted)
        if sent_at := self.request_dict.get(SENT_AT):
            # Clocks of two machines may differ; nobody waits less than no time.
            WAITED.labels(self.name).observe(max(0.0, time.time() - sent_at))

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
        """Count what went wrong. Called for exceptions, time limits and killed children."""
        error = getattr(exc_info.exception, "exc", None) or exc_info.exception
        outcome = next(
            (name for kind, name in OUTCOMES.items() if isinstance(error, kind)), "failed"
        )
        TASKS.labels(self.name, outcome).inc()
        return super().on_failure(exc_info, *args, **kwargs)


class LivingConsumer(Consumer):
    """A worker's loop. It lives while it turns, and while it tries to reach the broker again."""

    _attempts = 0

    def register_with_event_loop(self, hub: Hub) -> None:
        """Have the pulse beat on every turn from now on."""
        super().register_with_event_loop(hub)
        pulse.beat()
        hub.call_repeatedly(EVERY, pulse.beat)

    @property
    def broker_connection_retry_attempt(self) -> int:
        """How often the broker has not answered; Celery counts here and forgets on success."""
        return self._attempts

    @broker_connection_retry_attempt.setter
    def broker_connection_retry_attempt(self, attempts: int) -> None:
        pulse.beat()  # trying is living; a silent stall in one attempt is not
        self._attempts = attempts


class LivingScheduler(PersistentScheduler):
    """Beat's loop. It lives while it turns, and while it tries to reach the broker."""

    @cached_property
    def producer(self) -> Any:
        """What sends; made when first asked for. Every attempt to connect counts as a turn."""
        connection = self.connection.ensure_connection(self._try_again)
        return self.Producer(connection, auto_declare=False)

    def _try_again(self, error: Exception, seconds: float) -> None:
        pulse.beat()
        log.warning("Beat cannot reach the broker; it tries again in %d s.", seconds)

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Do what is due and return the seconds until the next turn."""
        pulse.beat()
        return super().tick(*args, **kwargs)

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        """Send one message and count it. Raises SchedulingError when the broker is away."""
        sent = super().apply_async(entry, *args, **kwargs)
        WAKE_UPS.labels(entry.task).inc()
        return sent


def start() -> None:
    """Measure this worker or beat, and serve the figures where METRICS_PORT says."""
    current_app.Task.Request = MeasuredRequest
    before_task_publish.connect(note_when_sent)
    task_revoked.connect(count_expired)
    ACTIVE.set_function(lambda: len(active_requests))
    if settings.METRICS_PORT:
        server = serve(host=settings.METRICS_HOST, port=settings.METRICS_PORT, pulse=pulse)
        # A child outlives a killed parent for a moment; it must not keep the port.
        worker_process_init.connect(lambda **_: server.socket.close(), weak=False)


def note_when_sent(headers: dict[str, Any], **_: object) -> None:
    """Let the worker see how long a message has waited."""
    headers[SENT_AT] = time.time()


def count_expired(sender: Task, *, expired: bool, **_: object) -> None:
    """Count wake-ups that nobody took in time."""
    TASKS.labels(sender.name, "expired" if expired else "revoked").inc()
