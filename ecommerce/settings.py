"""The only settings. What differs between deployments comes from the environment."""

import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.core.exceptions import ImproperlyConfigured

from ecommerce.env import DEBUG, env, env_counts, env_int, env_list, env_share
from ecommerce.logs import log_level, process_role
from ecommerce.openapi import SPECTACULAR_SETTINGS  # noqa: F401 - a setting
from ecommerce.roles import ROLES  # noqa: F401 - a setting
from ecommerce.storages import storages
from ecommerce.subscriptions import SUBSCRIPTIONS as EVENT_SUBSCRIPTIONS  # noqa: F401 - a setting
from ecommerce.timetable import QUEUES as CELERY_TASK_ROUTES  # noqa: F401 - a setting
from ecommerce.timetable import timetable

BASE_DIR = Path(__file__).resolve().parent.parent

# Core
SECRET_KEY = env("SECRET_KEY", dev="development-only")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS", default="")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", dev="*")
PUBLIC_URL = env("PUBLIC_URL", dev="http://127.0.0.1:8000").rstrip("/")
ROOT_URLCONF = "ecommerce.urls"
WSGI_APPLICATION = "ecommerce.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
API_BODY_LIMIT_BYTES = 1024 * 1024
API_UPLOAD_LIMIT_BYTES = 10 * 1024 * 1024 + 64 * 1024  # a picture, and the form around it
IMPORT_LIMIT_BYTES = 100 * 1024 * 1024
API_BODY_LIMITS = {"/api/v1/imports": IMPORT_LIMIT_BYTES}  # else API_BODY_LIMIT_BYTES
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

# Database: always PostgreSQL, persistent connections, every wait bounded.
DATABASES = {
    "default": dj_database_url.parse(
        env("DATABASE_URL", dev="postgres://postgres@127.0.0.1:5432/ecommerce"),
        engine="ecommerce.postgresql",
        conn_max_age=60,
        conn_health_checks=True,
    )
}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "connect_timeout": 2,
    "application_name": env("DATABASE_APPLICATION_NAME", default="ecommerce"),
    "options": (
        f"-c statement_timeout={env_int('DATABASE_STATEMENT_TIMEOUT_MS', default=30_000)}"
        f" -c lock_timeout={env_int('DATABASE_LOCK_TIMEOUT_MS', default=5_000)}"
        " -c idle_in_transaction_session_timeout=30000"
        # What is prepared is planned once, not as often as its values seem to ask for.
        " -c plan_cache_mode=force_generic_plan"
    ),
}

# Cache: a hint, never the truth. A hung server costs 0.2 s; JSON, because a pickle is code.
REDIS_URL = env("REDIS_URL", dev="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django_prometheus.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env("CACHE_KEY_PREFIX", default="ecommerce"),
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.2,
            "SOCKET_TIMEOUT": 0.2,
            "IGNORE_EXCEPTIONS": True,
        },
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True

# Search: PostgreSQL, or an Elasticsearch cluster where one is named. Indexed from the outbox alone.
ELASTICSEARCH_URL = env("ELASTICSEARCH_URL", default="")
ELASTICSEARCH_CA = env("ELASTICSEARCH_CA", default="").replace("\\n", "\n")
ELASTICSEARCH_TIMEOUT_MS = env_int("ELASTICSEARCH_TIMEOUT_MS", default=300)
ELASTICSEARCH_INDEX = env("ELASTICSEARCH_INDEX", default="products")
ELASTICSEARCH_DSL_AUTOSYNC = False
if ELASTICSEARCH_URL:
    _cluster = urlsplit(ELASTICSEARCH_URL)
    if _cluster.scheme not in {"http", "https"} or not _cluster.hostname or not _cluster.port:
        raise ImproperlyConfigured("ELASTICSEARCH_URL must be https://user:password@host:port.")

# People
AUTH_USER_MODEL = "users.User"
PASSWORD_HASHERS = ["apps.users.hashers.Argon2idHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "apps.users.validators.OwnWordsValidator",
        "OPTIONS": {
            "min_length": 10,
            "words": ["storefront", "ecommerce", *(urlsplit(PUBLIC_URL).hostname or "").split(".")],
        },
    },
]
SESSION_COOKIE_AGE = 8 * 60 * 60
LOGIN_URL = "admin:login"
AFTER_MIGRATIONS = ["sync_roles"]

# The first key; `manage.py rotate_signing_key` makes the next ones.
_signing_key = (
    env(
        "JWT_SIGNING_KEY",
        dev=generate_private_key(SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
    )
    .replace("\\n", "\n")
    .encode()
)
try:
    _private_key = load_pem_private_key(_signing_key, password=None)
except ValueError as error:
    raise ImproperlyConfigured("JWT_SIGNING_KEY must be a private key in PEM form.") from error
if not isinstance(getattr(_private_key, "curve", None), SECP256R1):
    raise ImproperlyConfigured("JWT_SIGNING_KEY must be a key on the curve P-256, for ES256.")
SIMPLE_JWT = {
    "ALGORITHM": "ES256",
    "SIGNING_KEY": _signing_key,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "ISSUER": PUBLIC_URL,
    "AUDIENCE": "storefront",
    "USER_ID_CLAIM": "sub",
    "USER_ID_FIELD": "id",
    "LEEWAY": 0,
}
ERASURE_COOLING_OFF = timedelta(hours=12)
SESSION_LIFETIME = timedelta(days=30)
SESSION_IDLE_LIFETIME = timedelta(days=14)
LOGIN_ATTEMPTS_PER_ACCOUNT = env_int("LOGIN_ATTEMPTS_PER_ACCOUNT", default=10)
LOGIN_ATTEMPTS_PER_ADDRESS = env_int("LOGIN_ATTEMPTS_PER_ADDRESS", default=100)
LOGIN_ATTEMPTS_PER_MINUTE = env_int("LOGIN_ATTEMPTS_PER_MINUTE", default=600)
CODE_GUESSES_PER_CLIENT = env_int("CODE_GUESSES_PER_CLIENT", default=20)
MAILS_PER_ADDRESS = env_int("MAILS_PER_ADDRESS", default=5)
MAILS_PER_NETWORK = env_int("MAILS_PER_NETWORK", default=100)

# Requests a minute (contributions: a day) of one person, one API key or, without either, a network.
RATE_LIMITS = env_counts(
    "RATE_LIMITS",
    default={
        "anonymous-reads": 3000,
        "anonymous-writes": 600,
        "reads": 600,
        "writes": 300,
        "payments": 60,
        "contributions": 50,
        "codes": 20,
        "api-keys": 6000,
        "webhooks": 6000,
    },
)

# REST API: nobody may do anything unless a view says so.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.users.authentication.ApiKeyAuthentication",
        "apps.users.authentication.AccessTokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["apps.kernel.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.kernel.rest.FastJSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["ecommerce.rate_limits.RateLimit"],
    "EXCEPTION_HANDLER": "ecommerce.problems.problem_response",
    "DEFAULT_METADATA_CLASS": None,  # OpenAPI says what OPTIONS would
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "URL_FORMAT_OVERRIDE": None,
}
ANSWERS_KEPT_SECONDS = env_int("ANSWERS_KEPT_SECONDS", default=2)
CORS_ALLOWED_ORIGINS = env_list("CORS_ALLOWED_ORIGINS", default="")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-cart-token",
    "x-order-token",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "etag",
    "idempotent-replayed",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
    "x-search-backend",
    "x-search-degraded",
]

# Language and time
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# Files
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT", default=str(BASE_DIR / ".local" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = env("MEDIA_ROOT", default=str(BASE_DIR / ".local" / "media"))
AWS_PRODUCTS_BUCKET = env("AWS_PRODUCTS_BUCKET", default="")
AWS_PRODUCTS_DOMAIN = env("AWS_PRODUCTS_DOMAIN", default="")
AWS_USERS_BUCKET = env("AWS_USERS_BUCKET", default="")
AWS_ORDERS_BUCKET = env("AWS_ORDERS_BUCKET", default="")
AUDIT_ROOT = env("AUDIT_ROOT", dev=str(BASE_DIR / ".local" / "audit"), default="")
STORAGES = storages(
    media_root=MEDIA_ROOT,
    products_bucket=AWS_PRODUCTS_BUCKET,
    products_domain=AWS_PRODUCTS_DOMAIN,
    users_bucket=AWS_USERS_BUCKET,
    orders_bucket=AWS_ORDERS_BUCKET,
    audit_root=AUDIT_ROOT,
)

# Mail: rows in the database, handed to one server; without a server, files to look at.
_mail = urlsplit(env("EMAIL_URL", dev=f"file://{BASE_DIR / '.local' / 'mail'}"))
_mail_ports = {"file": 0, "smtp": 25, "smtp+tls": 587, "smtps": 465}
if _mail.scheme not in _mail_ports or not (_mail.hostname or _mail.scheme == "file"):
    raise ImproperlyConfigured(
        "EMAIL_URL must be smtps://, smtp+tls:// or smtp:// with a host, or file:// with a folder."
    )
EMAIL_BACKEND = (
    f"django.core.mail.backends.{'filebased' if _mail.scheme == 'file' else 'smtp'}.EmailBackend"
)
EMAIL_FILE_PATH = _mail.path
EMAIL_HOST = _mail.hostname or ""
EMAIL_PORT = _mail.port or _mail_ports[_mail.scheme]
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_USE_TLS = _mail.scheme == "smtp+tls"
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", dev="Storefront <store@localhost>")

# Store
STORE_CURRENCY = env("STORE_CURRENCY", default="USD")
STORE_LOCALES = env_list("STORE_LOCALES", default="en,de,es,fr,it,nl,pl,pt-BR")
ORDER_PAYMENT_WINDOW = timedelta(seconds=env_int("ORDER_PAYMENT_WINDOW_SECONDS", default=15 * 60))
CART_KEPT_DAYS = env_counts("CART_KEPT_DAYS", default={"guests": 30, "customers": 180})
RETURN_WINDOW = timedelta(days=env_int("RETURN_WINDOW_DAYS", default=30))
INVOICE_RETENTION_YEARS = env_int("INVOICE_RETENTION_YEARS", default=10)
SELLER = {  # on invoices
    "name": env("SELLER_NAME", default=urlsplit(PUBLIC_URL).hostname or PUBLIC_URL),
    "address": [
        line.strip() for line in env("SELLER_ADDRESS", default="").split(";") if line.strip()
    ],
    "tax_id": env("SELLER_TAX_ID", default=""),
}
LOW_STOCK_THRESHOLD = env_int("LOW_STOCK_THRESHOLD", default=5)

# Payments: an empty base address is Stripe itself.
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", dev="sk_test_development")
STRIPE_WEBHOOK_SECRETS = env_list("STRIPE_WEBHOOK_SECRET", dev="whsec_development")
STRIPE_API_BASE = env("STRIPE_API_BASE", default="")

# Shipping: 0 means that people, not a simulation, report deliveries.
CARRIER_SIMULATED_DELIVERY_SECONDS = env_int("CARRIER_SIMULATED_DELIVERY_SECONDS", default=0)

# Background work: rows in the database are the work; these messages only wake the workers.
CELERY_BROKER_URL = env("CELERY_BROKER_URL", dev="redis://127.0.0.1:6379/1")
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_SOFT_TIME_LIMIT = 40
CELERY_TASK_TIME_LIMIT = 50
CELERY_WORKER_CONSUMER = "ecommerce.monitoring.background:LivingConsumer"
CELERY_BEAT_SCHEDULER = "ecommerce.monitoring.background:LivingScheduler"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_BEAT_SCHEDULE = timetable(with_elasticsearch=bool(ELASTICSEARCH_URL))

# Security: TLS follows from the public address; plain HTTP is for this machine only.
_public = urlsplit(PUBLIC_URL)
_tls = _public.scheme == "https"
if not (DEBUG or _tls or _public.hostname in {"127.0.0.1", "::1", "localhost"}):
    raise ImproperlyConfigured("PUBLIC_URL must be https:// for any host but this machine.")
if _tls and not DEBUG and not (EMAIL_USE_TLS or EMAIL_USE_SSL):
    raise ImproperlyConfigured("EMAIL_URL must be smtps:// or smtp+tls:// for a public store.")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_SSL_REDIRECT = _tls
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _tls else None
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if _tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _tls
SECURE_HSTS_PRELOAD = _tls
SECURE_REFERRER_POLICY = "same-origin"
# __Host-: no other host and no plain HTTP can plant the cookie (RFC 6265bis, section 4.1.3).
_prefix = "__Host-" if _tls else ""
SESSION_COOKIE_NAME = f"{_prefix}sessionid"
SESSION_COOKIE_SECURE = _tls
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_prefix}csrftoken"
CSRF_COOKIE_SECURE = _tls
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
X_FRAME_OPTIONS = "DENY"
_pictures = f" https://{AWS_PRODUCTS_DOMAIN or '*.amazonaws.com'}" if AWS_PRODUCTS_BUCKET else ""
_pictures += " https://*.amazonaws.com" if AWS_USERS_BUCKET else ""
CONTENT_POLICY_OF_API = "default-src 'none'; frame-ancestors 'none'"
CONTENT_POLICY_OF_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self';"
    f" img-src 'self' data:{_pictures};"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# Observation
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
