"""Former versions of objects, against a server that keeps versions as S3 does (moto)."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from database import until
from running_store import free_port

from ecommerce.recovery.s3 import restore_objects

pytestmark = pytest.mark.slow
BUCKET = "ecommerce-products"


@pytest.fixture(scope="module")
def server(tool: Callable[[str], Path]) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [tool("moto_server"), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    ) as process:
        try:
            until(lambda: answers(url))
            yield url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code < 500
    except httpx.TransportError:
        return False


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    httpx.post(f"{server}/moto-api/reset").raise_for_status()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


def contents(client: Any) -> dict[str, bytes]:
    listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {
        each["Key"]: client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        for each in listed
    }


@pytest.fixture
def moment(bucket: Any) -> datetime:
    """The moment before a mistake overwrote, deleted and added objects."""
    for key in ("a", "b", "c"):
        bucket.put_object(Bucket=BUCKET, Key=key, Body=b"old")
    time.sleep(1.1)  # S3 keeps whole seconds
    at = datetime.now(UTC)
    time.sleep(1.1)
    bucket.put_object(Bucket=BUCKET, Key="a", Body=b"mistaken")
    bucket.delete_object(Bucket=BUCKET, Key="b")
    bucket.put_object(Bucket=BUCKET, Key="new", Body=b"mistaken")
    return at


def test_every_object_becomes_what_it_was(bucket: Any, moment: datetime):
    said: list[str] = []

    changed = restore_objects(BUCKET, prefix="", to=moment, apply=True, tell=said.append)

    assert changed == 3
    assert contents(bucket) == {"a": b"old", "b": b"old", "c": b"old"}
    assert said[-1] == "3 objects were changed."


def test_nothing_is_destroyed(bucket: Any, moment: datetime):
    restore_objects(BUCKET, prefix="", to=moment, apply=True, tell=lambda _: None)

    kept = bucket.list_object_versions(Bucket=BUCKET)["Versions"]
    bodies = {
        bucket.get_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])[
            "Body"
        ].read()
        for each in kept
    }
    assert bodies == {b"old", b"mistaken"}


def test_without_apply_it_is_only_told(bucket: Any, moment: datetime):
    said: list[str] = []

    restore_objects(BUCKET, prefix="", to=moment, apply=False, tell=said.append)

    assert contents(bucket) == {"a": b"mistaken", "c": b"old", "new": b"mistaken"}
    assert "delete new" in said
    assert said[-1] == "3 objects would be changed."


def test_a_prefix_keeps_the_rest_as_it_is(bucket: Any, moment: datetime):
    restore_objects(BUCKET, prefix="b", to=moment, apply=True, tell=lambda _: None)

    assert contents(bucket) == {"a": b"mistaken", "b": b"old", "c": b"old", "new": b"mistaken"}


def test_repeating_it_changes_nothing(bucket: Any, moment: datetime):
    restore_objects(BUCKET, prefix="", to=moment, apply=True, tell=lambda _: None)

    assert restore_objects(BUCKET, prefix="", to=moment, apply=True, tell=lambda _: None) == 0
