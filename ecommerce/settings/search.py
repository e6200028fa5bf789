"""PostgreSQL, or an Elasticsearch cluster where one is named. Indexed from the outbox alone."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from ecommerce.env import env, env_int

ELASTICSEARCH_URL = env("ELASTICSEARCH_URL", default="")
ELASTICSEARCH_CA = env("ELASTICSEARCH_CA", default="").replace("\\n", "\n")
ELASTICSEARCH_TIMEOUT_MS = env_int("ELASTICSEARCH_TIMEOUT_MS", default=300)
ELASTICSEARCH_INDEX = env("ELASTICSEARCH_INDEX", default="products")
ELASTICSEARCH_DSL_AUTOSYNC = False
if ELASTICSEARCH_URL:
    _cluster = urlsplit(ELASTICSEARCH_URL)
    if _cluster.scheme not in {"http", "https"} or not _cluster.hostname or not _cluster.port:
        raise ImproperlyConfigured("ELASTICSEARCH_URL must be https://user:password@host:port.")
