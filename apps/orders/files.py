"""Where invoices and photos of returns are kept: the orders' bucket, which nobody else reads."""

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages


def files() -> Storage:
    """Return the storage of orders' files."""
    return storages["orders"]


def keep(name: str, content: bytes) -> None:
    """Write a file; what was there by that name is replaced."""
    files().save(name, ContentFile(content))


def read(name: str) -> bytes:
    """Return what a file holds. Raises FileNotFoundError."""
    with files().open(name) as file:
        return bytes(file.read())


def remove(name: str) -> None:
    """Delete a file, if there is one."""
    files().delete(name)
