"""Where product files are kept: a part of the products' bucket that nobody else reads, or a folder.

Files are read from where one wants to go on, and written as they come, never held in memory.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

PIECE = 64 * 1024


def files() -> Storage:
    """Return the storage of product files."""
    return storages["exchange"]


def keep(name: str, pieces: Iterable[bytes]) -> None:
    """Write a file as its pieces come; what was there by that name is replaced.

    Whatever the pieces raise on the way leaves nothing behind.
    """
    storage = files()
    storage.delete(name)
    try:
        storage.save(name, cast("Any", _Stream(pieces)))
    except BaseException:
        storage.delete(name)
        raise


def remove(name: str) -> None:
    """Delete a file, if there is one."""
    files().delete(name)


@contextmanager
def opened(name: str, *, offset: int = 0) -> Iterator[BinaryIO]:
    """Open a file there."""
    storage = files()
    if isinstance(storage, FileSystemStorage):
        with storage.open(name) as file:
            file.seek(offset)
            yield cast("BinaryIO", file.file)
        return
    bucket = cast("Any", storage).bucket
    key = f"{cast('Any', storage).location}/{name}"
    if offset >= bucket.Object(key).content_length:
        yield io.BytesIO()
        return
    with bucket.Object(key).get(Range=f"bytes={offset}-")["Body"] as body:
        yield cast("BinaryIO", io.BufferedReader(body, PIECE))


class _Stream(File):
    """A file that is read once, from its beginning on, while it comes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__(file=None, name="stream")
        self._pieces = iter(pieces)
        self._left = b""

    def seekable(self) -> bool:
        return False

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        return self._pieces

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._left) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left += piece
        end = len(self._left) if size < 0 else size
        taken, self._left = self._left[:end], self._left[end:]
        return taken
