"""Former versions of objects: a bucket with versions forgets nothing that is overwritten."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ecommerce.recovery.errors import CannotRecover


@dataclass(frozen=True, slots=True)
class Version:
    """One state of an object. `id` is empty for a deletion."""

    key: str
    at: datetime
    id: str
    etag: str


def restore_objects(
    bucket: str, *, prefix: str, to: datetime, apply: bool, tell: Callable[[str], None]
) -> int:
    """Make every object what it was just before `to`; return how many differ.

    Nothing is destroyed: a former version is copied on top, and what was not there yet gets a
    deletion on top. Without `apply` it is only told. Raises CannotRecover.
    """
    client = boto3.client("s3")
    try:
        changes = _changes(client, bucket, prefix, to)
        for key, version in sorted(changes.items()):
            if version is None:
                tell(f"delete {key}")
            else:
                tell(f"{key} as of {version.at.isoformat(timespec='seconds')}")
            if apply:
                _make(client, bucket, key, version)
    except (ClientError, BotoCoreError) as error:
        raise CannotRecover(f"AWS refused: {error}") from error
    tell(f"{len(changes)} objects {'were' if apply else 'would be'} changed.")
    return len(changes)


def _changes(client: Any, bucket: str, prefix: str, to: datetime) -> dict[str, Version | None]:
    """Return what each object that has changed since has to become again."""
    now: dict[str, Version] = {}
    then: dict[str, Version] = {}
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            exists = "ETag" in entry
            version = Version(
                entry["Key"],
                entry["LastModified"],
                entry["VersionId"] if exists else "",
                entry.get("ETag", ""),
            )
            if entry["IsLatest"]:
                now[version.key] = version
            if version.at < to and (version.key not in then or version.at > then[version.key].at):
                then[version.key] = version
    changes: dict[str, Version | None] = {}
    for key, current in now.items():
        former = then.get(key)
        if (former.etag if former else "") != current.etag:
            changes[key] = former if former and former.id else None
    return changes


def _make(client: Any, bucket: str, key: str, version: Version | None) -> None:
    if version is None:
        client.delete_object(Bucket=bucket, Key=key)
    else:
        source = {"Bucket": bucket, "Key": key, "VersionId": version.id}
        client.copy(source, bucket, key)
