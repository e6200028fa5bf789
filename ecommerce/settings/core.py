"""What Django is made of: key, hosts, apps, middleware, templates, language and time."""

from pathlib import Path

from ecommerce.env import env, env_int, env_list
from ecommerce.openapi import SPECTACULAR_SETTINGS  # noqa: F401 - a setting
from ecommerce.roles import ROLES  # noqa: F401 - a setting
from ecommerce.subscriptions import SUBSCRIPTIONS as EVENT_SUBSCRIPTIONS  # noqa: F401 - a setting

BASE_DIR = Path(__file__).resolve().parent.parent.parent

SECRET_KEY = env("SECRET_KEY", dev="development-only")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS", default="")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", dev="*")
PUBLIC_URL = env("PUBLIC_URL", dev="http://127.0.0.1:8000").rstrip("/")
ROOT_URLCONF = "ecommerce.urls"
WSGI_APPLICATION = "ecommerce.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TRUSTED_PROXY_COUNT = env_int("TRUSTED_PROXY_COUNT", default=0)

INSTALLED_APPS = [
    "ecommerce.apps.BackOffice",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "django_prometheus",
    "apps.kernel",
    "apps.users",
    "apps.catalog",
    "apps.orders",
    "ecommerce.monitoring",
    "ecommerce.notices",
    "ecommerce.privacy",
]

MIDDLEWARE = [
    "ecommerce.health.probes",
    "ecommerce.client_address.client_address",
    "ecommerce.monitoring.requests.measured",
    "ecommerce.middleware.request_id",
    "ecommerce.middleware.content_policy",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "ecommerce.kept_answers.kept_answers",
    "ecommerce.middleware.api_guard",
    "ecommerce.rate_limits.rate_limits",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "ecommerce.middleware.who_asks",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
