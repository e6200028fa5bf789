"""Rows in the database, handed to one server; without a server, files to look at."""

from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from ecommerce.env import env
from ecommerce.settings.core import BASE_DIR

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
