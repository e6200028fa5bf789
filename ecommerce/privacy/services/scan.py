"""Looking for words in everything that the store keeps: tables, Redis, files, archives."""

import base64
import binascii
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.storage import Storage, storages
from django.db import connection, transaction
from redis import Redis

from ecommerce.privacy.models import DataExport


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a word stands, and how often (rows, keys or files)."""

    place: str
    times: int = 1


def hits(words: Iterable[str]) -> Iterator[Hit]:
    """Yield every place where one of the words stands, in whatever case. Reads everything."""
    needles = [needle for word in words for needle in _needles(word)]
    yield from _in_tables(needles)
    yield from _in_packed_rows(needles)
    for url in dict.fromkeys((settings.REDIS_URL, settings.CELERY_BROKER_URL)):
        yield from _in_redis(url, needles)
    for alias in settings.STORAGES:
        if alias != "staticfiles":
            yield from _in_files(alias, storages[alias], needles)


def _needles(word: str) -> list[str]:
    """Return how a word may be written: as it is, escaped in JSON, as hexadecimal digits."""
    spelled = (word, word.lower(), word.upper())
    escaped = (json.dumps(form)[1:-1].lower() for form in spelled)
    digits = (form.encode().hex() for form in spelled)
    return list(dict.fromkeys((word.lower(), *escaped, *digits)))


def _holds(content: bytes, needles: list[str]) -> bool:
    text = content.decode(errors="ignore").lower()
    return any(needle in text for needle in needles)


def _in_tables(needles: list[str]) -> Iterator[Hit]:
    like = [f"%{_escaped(needle)}%" for needle in needles]
    for table, columns in _tables():
        counts = ", ".join(
            f"count(*) FILTER (WHERE lower({connection.ops.quote_name(column)}::text)"
            " LIKE ANY(%(like)s))"
            for column in columns
        )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(f"SELECT {counts} FROM {table}", {"like": like})  # noqa: S608 - names from the catalog
            found = zip(columns, cursor.fetchone(), strict=True)
        yield from (Hit(f"{table}.{column}", times) for column, times in found if times)


def _tables() -> list[tuple[str, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_class.oid::regclass::text, array_agg(attname::text ORDER BY attnum)
            FROM pg_class
            JOIN pg_namespace ON pg_namespace.oid = relnamespace
            JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
            WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema')
                AND nspname NOT LIKE 'pg_toast%'
            GROUP BY 1 ORDER BY 1
            """
        )
        return cursor.fetchall()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _in_packed_rows(needles: list[str]) -> Iterator[Hit]:
    """Open what the database cannot look into: sessions of staff, and archives."""
    sessions = sum(
        _holds(json.dumps(session.get_decoded()).encode(), needles)
        for session in Session.objects.iterator()
    )
    if sessions:
        yield Hit("django_session.session_data, unpacked", sessions)
    archives = DataExport.objects.values_list("archive", flat=True)
    found = sum(_holds_packed(bytes(archive or b""), needles) for archive in archives.iterator())
    if found:
        yield Hit("privacy_dataexport.archive, unpacked", found)


def _holds_packed(content: bytes, needles: list[str]) -> bool:
    """Tell whether a file holds a word, also inside of a zip."""
    if _holds(content, needles):
        return True
    if not zipfile.is_zipfile(BytesIO(content)):
        return False
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return any(
            _holds(name.encode(), needles) or _holds_packed(archive.read(name), needles)
            for name in archive.namelist()
        )


def _in_redis(url: str, needles: list[str]) -> Iterator[Hit]:
    server = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=10)
    with server:
        for key in server.scan_iter(count=1_000):
            if any(_holds(part, needles) for part in (key, *_unpacked(_values(server, key)))):
                yield Hit(f"redis {key.decode(errors='replace')}")


def _values(server: Any, key: bytes) -> Iterator[bytes]:
    readers: dict[bytes, Any] = {
        b"string": lambda: [server.get(key)],
        b"hash": lambda: [part for pair in server.hgetall(key).items() for part in pair],
        b"list": lambda: server.lrange(key, 0, -1),
        b"set": lambda: server.smembers(key),
        b"zset": lambda: server.zrange(key, 0, -1),
        b"stream": lambda: [part for _, said in server.xrange(key) for part in said.values()],
        b"none": list,  # its time was over between being listed and being read
    }
    yield from (value for value in readers[server.type(key)]() if value)


def _unpacked(values: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the values, and what Celery has packed into them."""
    for value in values:
        yield value
        try:
            body = json.loads(value)["body"]
            yield base64.b64decode(body)
        except (ValueError, KeyError, TypeError, binascii.Error):
            continue


def _in_files(alias: str, storage: Storage, needles: list[str]) -> Iterator[Hit]:
    for name, content in _files(storage):
        if _holds(name.encode(), needles) or _holds_packed(content, needles):
            yield Hit(f"file {alias}:{name}")


def _files(storage: Storage) -> Iterator[tuple[str, bytes]]:
    bucket = getattr(storage, "bucket", None)
    if bucket is not None:  # S3: also what was deleted or replaced
        for version in bucket.object_versions.all():
            if version.size is not None:
                body = version.get()["Body"].read()
                yield f"{version.key} ({version.version_id})", body
        return
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            below, names = storage.listdir(folder)
        except FileNotFoundError:
            continue
        folders += [f"{folder}/{name}".lstrip("/") for name in below]
        for name in names:
            path = f"{folder}/{name}".lstrip("/")
            with storage.open(path) as file:
                yield path, file.read()
