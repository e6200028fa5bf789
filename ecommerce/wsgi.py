"""The entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from ecommerce import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

application = get_wsgi_application()
logs.catch_all()
