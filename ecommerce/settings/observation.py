"""What is seen of a process: metrics, traces and logs."""

import sys

from ecommerce.env import DEBUG, env, env_int, env_share
from ecommerce.logs import log_level, process_role

METRICS_HOST = env("METRICS_HOST", default="0.0.0.0")  # noqa: S104 - seen by Prometheus alone
METRICS_PORT = env_int("METRICS_PORT", default=0)  # 0: workers, beat and exporter serve nothing
PROCESS_ROLE = env("PROCESS_ROLE", default=process_role(sys.argv))
RELEASE = env("RELEASE", default="")
ENVIRONMENT = env("ENVIRONMENT", default="local")
# Traces: without an address of a collector nothing of OpenTelemetry is even imported.
OTEL_EXPORTER_OTLP_ENDPOINT = env("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
OTEL_TRACES_SAMPLER_ARG = env_share("OTEL_TRACES_SAMPLER_ARG", default=0.05)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "ecommerce.logs.JSONLines", "discreet": not DEBUG}},
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        }
    },
    "root": {"handlers": ["stdout"], "level": log_level(env("LOG_LEVEL", default="INFO"))},
    "loggers": {
        "django.server": {"handlers": ["stdout"], "propagate": False},
        "django.request": {"level": "ERROR"},
        "multiprocessing": {"handlers": ["stdout"], "propagate": False},  # Celery's pool
        "elastic_transport": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},
        "celery": {"level": "WARNING"},  # it would report every wake-up, ten a second
    },
}
