"""Accounts, passwords, tokens and sessions."""

from datetime import timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.core.exceptions import ImproperlyConfigured

from ecommerce.env import env
from ecommerce.settings.core import PUBLIC_URL

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
