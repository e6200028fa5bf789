"""The entry point for gunicorn."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from ecommerce import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
    from ecommerce import tracing

    tracing.start()

application = get_wsgi_application()
logs.catch_all()
