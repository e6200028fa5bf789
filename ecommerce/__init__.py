"""The Django project: wiring, no business rule."""

from ecommerce.celery import app as celery_app

__all__ = ["celery_app"]
