"""Where files lie, on disks and in buckets."""

from ecommerce.env import env
from ecommerce.settings.core import BASE_DIR
from ecommerce.storages import storages

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
