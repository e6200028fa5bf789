"""The entry point for an ASGI server; the deployment uses WSGI, which measured cheaper."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecommerce.settings")

application = get_asgi_application()
