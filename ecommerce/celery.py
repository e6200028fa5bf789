"""The Celery app. The database owns the work; Celery only wakes whoever does it."""

import os

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings

from ecommerce import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

app = Celery("ecommerce")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Leave logging as the settings configured it; Celery would install its own."""
    logs.catch_all()


@worker_init.connect
def trace_if_wanted(**_: object) -> None:
    """Trace the worker, before its pool is made, when there is somewhere to send the traces."""
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from ecommerce import tracing

        tracing.start()


@worker_init.connect
@beat_init.connect
def tell_figures(**_: object) -> None:
    """Measure this worker or beat; other processes do not even load what that needs."""
    from ecommerce.monitoring import background

    background.start()
