"""The same settings, minus what is slow or outside the machine."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("ANSWERS_KEPT_SECONDS", "0")
os.environ.setdefault("RATE_LIMITS", "*=1000000")

from ecommerce.settings import *  # noqa: F403 - DEBUG has to be set first

DEBUG = False
PASSWORD_HASHERS = ["apps.users.hashers.FastArgon2idHasher"]
CACHES["default"]["KEY_PREFIX"] = f"test-{os.getpid()}"  # noqa: F405 - from the star import
STORAGES["staticfiles"] = {  # noqa: F405 - from the star import
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
STORAGES["orders"] = {  # noqa: F405 - from the star import
    "BACKEND": "django.core.files.storage.InMemoryStorage"
}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
WHITENOISE_AUTOREFRESH = True
ELASTICSEARCH_URL = ""  # tests that want the cluster ask for it
ELASTICSEARCH_TIMEOUT_MS = 10_000
