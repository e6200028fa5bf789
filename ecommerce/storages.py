"""Where files lie: in S3's buckets where they are named, else in folders of this machine."""

from pathlib import Path
from typing import Any

FOLDER = "django.core.files.storage.FileSystemStorage"
BUCKET = "storages.backends.s3.S3Storage"


def storages(
    *,
    media_root: str,
    products_bucket: str,
    products_domain: str,
    users_bucket: str,
    orders_bucket: str,
    audit_root: str,
) -> dict[str, dict[str, Any]]:
    """Return Django's storages by name. Without an audit root there is none of that name."""
    places: dict[str, dict[str, Any]] = {
        "default": {"BACKEND": FOLDER},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
        "products": {"BACKEND": FOLDER},
        "users": _folder(media_root, "users"),
        "orders": _folder(media_root, "orders"),  # invoices and credit notes
        "exchange": _folder(media_root, "exchange"),  # files of products, for staff alone
    }
    if products_bucket:
        places["products"] = _bucket(
            products_bucket,
            custom_domain=products_domain or None,
            file_overwrite=False,
            querystring_auth=False,
        )
        places["exchange"] = _bucket(products_bucket, location="exchange")
    if users_bucket:
        places["users"] = _bucket(users_bucket, signature_version="s3v4", querystring_expire=300)
    if orders_bucket:
        places["orders"] = _bucket(orders_bucket)
    if audit_root:  # without it, the audit log is anchored in the process's log alone
        places["audit"] = {"BACKEND": FOLDER, "OPTIONS": {"location": audit_root}}
    return places


def _folder(media_root: str, name: str) -> dict[str, Any]:
    options = {"location": str(Path(media_root) / name), "allow_overwrite": True}
    return {"BACKEND": FOLDER, "OPTIONS": options}


def _bucket(name: str, **options: Any) -> dict[str, Any]:
    return {"BACKEND": BUCKET, "OPTIONS": {"bucket_name": name, "default_acl": None, **options}}
