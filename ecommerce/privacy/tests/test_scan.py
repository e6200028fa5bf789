"""The scan finds a word wherever the store may keep it."""

import base64
import io
import json
import zipfile

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command
from redis import Redis

from apps.kernel.models import AuditEntry, IdempotencyRecord
from apps.users.tests.factories import UserFactory
from ecommerce.privacy.services.scan import hits

pytestmark = pytest.mark.django_db
WORD = "Žebra_fínch%"


def places(word: str = WORD) -> set[str]:
    return {hit.place for hit in hits([word])}


@pytest.fixture
def broker():
    server = Redis.from_url(django_settings.CELERY_BROKER_URL)
    yield server
    server.delete(*(f"scan-{kind}" for kind in ("string", "hash", "list", "set", "zset", "stream")))


def test_a_word_is_found_in_every_kind_of_column_and_case():
    UserFactory.create(first_name="aŽEBRA_fínch%b", email="scan@example.com")
    record = IdempotencyRecord(principal="x", route="x", key="x", status=200)
    record.headers, record.body = {"a": [WORD]}, json.dumps({"a": WORD})
    record.save()

    assert places() == {
        "users_user.first_name",
        "kernel_idempotencyrecord.headers",
        "kernel_idempotencyrecord.body",
    }
    assert places("zebra_finch%") == set()
    assert places("Žebra-fínch%") == set()


def test_bytes_are_found_by_their_hexadecimal_digits():
    AuditEntry.objects.create(actor_kind="system", action="test.x", ip_salt=b"zebra")

    assert places("zebra") == {"kernel_auditentry.ip_salt"}


def test_sessions_of_staff_are_opened():
    session = SessionStore()
    session["note"] = WORD
    session.save()

    assert places() == {"django_session.session_data, unpacked"}


def test_a_word_is_found_in_every_type_of_redis_also_packed_by_celery(broker):
    message = {"body": base64.b64encode(WORD.encode()).decode()}
    broker.set("scan-string", json.dumps(message))
    broker.hset("scan-hash", mapping={"a": WORD})
    broker.rpush("scan-list", "x", WORD)
    broker.sadd("scan-set", WORD)
    broker.zadd("scan-zset", {WORD: 1})
    broker.xadd("scan-stream", {"a": WORD})

    kinds = ("string", "hash", "list", "set", "zset", "stream")
    assert places() == {f"redis scan-{kind}" for kind in kinds}


def test_a_word_is_found_in_files_their_names_and_zips_inside_of_zips(audit_root, settings):
    inner, outer = io.BytesIO(), io.BytesIO()
    for target, name, content in (
        (inner, "a.json", json.dumps([WORD]).encode()),
        (outer, "inner.zip", None),
    ):
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, inner.getvalue() if content is None else content)
    storages["audit"].save("deep/down/outer.zip", ContentFile(outer.getvalue()))
    storages["audit"].save("plain.txt", ContentFile(WORD.encode()))
    storages["audit"].save("a-zebra-b.bin", ContentFile(b""))

    assert places() == {"file audit:deep/down/outer.zip", "file audit:plain.txt"}
    assert places("zebra-b") == {"file audit:a-zebra-b.bin"}


def test_nothing_is_found_of_what_is_not_there(capsys):
    call_command("privacy", "scan", "nothing-like-this")

    assert "Found nowhere." in capsys.readouterr().out
