"""TLS follows from the public address; plain HTTP is for this machine only."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from ecommerce.env import DEBUG
from ecommerce.settings.core import PUBLIC_URL
from ecommerce.settings.files import AWS_PRODUCTS_BUCKET, AWS_PRODUCTS_DOMAIN, AWS_USERS_BUCKET
from ecommerce.settings.mail import EMAIL_USE_SSL, EMAIL_USE_TLS

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
