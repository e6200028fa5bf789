"""Where people's files are: a private bucket, or a folder of this machine with the same promises.

Files go straight to the storage and come straight from it, by addresses that hold for minutes.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.core import signing
from django.core.files.storage import FileSystemStorage, Storage, storages

FORM_LIFETIME = timedelta(minutes=10)
ADDRESS_LIFETIME = timedelta(minutes=5)
FORM, FILE = "users.uploads", "users.files"


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form (multipart/form-data) that uploads one file: `fields` first, then `file`."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Permission:
    """What a form of this machine allows."""

    name: str
    content_type: str
    largest: int


def files() -> Storage:
    """Return the storage of people's files."""
    return storages["users"]


def upload_form(permission: Permission) -> UploadForm:
    """Return what uploads a file under that name, of that type, up to that many bytes."""
    storage = files()
    if isinstance(storage, FileSystemStorage):
        signed = signing.dumps(
            [permission.name, permission.content_type, permission.largest], salt=FORM
        )
        fields = {"key": permission.name, "Content-Type": permission.content_type}
        return UploadForm(f"{settings.PUBLIC_URL}/uploads", {**fields, "policy": signed})
    form = cast("Any", storage).connection.meta.client.generate_presigned_post(
        Bucket=settings.AWS_USERS_BUCKET,
        Key=permission.name,
        Fields={"Content-Type": permission.content_type},
        Conditions=[
            {"Content-Type": permission.content_type},
            ["content-length-range", 1, permission.largest],
        ],
        ExpiresIn=int(FORM_LIFETIME.total_seconds()),
    )
    return UploadForm(form["url"], form["fields"])


def permission_in(policy: str) -> Permission | None:
    """Return what a form of this machine allows, or None when it is forged or too old."""
    try:
        return Permission(*signing.loads(policy, salt=FORM, max_age=FORM_LIFETIME))
    except signing.BadSignature:
        return None


def address_of(name: str) -> str:
    """Return where the file can be read for ADDRESS_LIFETIME."""
    storage = files()
    if isinstance(storage, FileSystemStorage):
        return f"{settings.PUBLIC_URL}/files/{signing.dumps(name, salt=FILE)}"
    return storage.url(name)


def name_in(signed: str) -> str | None:
    """Return the file that an address of this machine leads to, or None."""
    try:
        return cast("str", signing.loads(signed, salt=FILE, max_age=ADDRESS_LIFETIME))
    except signing.BadSignature:
        return None
