"""The Celery app. The database owns the work; Celery only wakes whoever does it."""

import os

from celery import Celery
from celery.signals import setup_logging

from ecommerce import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

app = Celery("ecommerce")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Leave logging as the settings configured it; Celery would install its own."""
    logs.catch_all()
