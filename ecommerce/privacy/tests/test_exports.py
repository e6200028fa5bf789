"""Archives: complete, made once, and only for their person."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog.tests.factories import ReviewPhotoFactory
from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Kind
from apps.kernel.tests.mails import mails_to
from apps.kernel.tests.threads import at_once
from apps.orders.tests.factories import completed_order
from apps.users.tests.factories import (
    PASSWORD,
    AddressFactory,
    UserFactory,
    client_of,
)
from ecommerce.privacy.inventory import columns
from ecommerce.privacy.models import DataExport
from ecommerce.privacy.services import erasures, exports
from ecommerce.privacy.services.scan import hits
from ecommerce.privacy.tests.seeding import EMAIL, MODELS, PERSONAL, WORD, seed, seeded_person

pytestmark = pytest.mark.django_db
EXPORTS = "/api/v1/users/me/data-exports"
ERASURES = "/api/v1/users/me/erasure-requests"


def unpacked(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        documents = [name for name in opened.namelist() if name.endswith(".json")]
        return {name: json.loads(opened.read(name)) for name in documents}


def test_every_personal_column_is_in_the_archive_or_named_as_withheld():
    person = seeded_person()
    seed(person)
    DataExport.objects.all().delete()
    export = exports.ask(user_id=person.user_id)

    exports.advance_export()

    export.refresh_from_db()
    documents = unpacked(bytes(export.archive))
    manifest = documents.pop("manifest.json")
    told = {
        f"{name.removesuffix('.json')}.{column}".lower()
        for name, rows in documents.items()
        for column in rows[0]
    }
    withheld = {
        f"{entry['table'].replace('.', '/')}.{entry['column']}".lower()
        for entry in manifest["withheld"]
    }
    personal = {
        f"{column.model.replace('.', '/')}.{column.name}".lower()
        for column in columns()
        if column.kind is not Kind.NONE
        and column.model in {table.model._meta.label for table in PERSONAL}
    }
    assert personal <= told | withheld
    assert told & withheld == set()
    assert all(entry["reason"] for entry in manifest["withheld"])
    assert manifest["person"] == str(person.user_id)
    assert {file["name"]: file["rows"] for file in manifest["files"] if "rows" in file} == {
        name: len(rows) for name, rows in documents.items()
    }
    with zipfile.ZipFile(io.BytesIO(bytes(export.archive))) as opened:
        for file in manifest["files"]:
            assert hashlib.sha256(opened.read(file["name"])).hexdigest() == file["sha256"]
    assert documents["users/user.json"][0]["email"] == EMAIL
    assert documents["users/address.json"][0]["city"] == WORD


def test_the_archive_holds_nothing_of_anybody_else():
    me, other = UserFactory.create(), UserFactory.create(first_name="Unmistakable")
    AddressFactory.create(user=me)
    AddressFactory.create(user=other, city="Unmistakable")
    completed_order(customer_id=other.pk, email="unmistakable@example.com")
    completed_order(customer_id=other.pk, email=me.email)  # typed by somebody else
    export = exports.ask(user_id=me.pk)

    exports.advance_export()

    export.refresh_from_db()
    documents = unpacked(bytes(export.archive))
    assert "unmistakable" not in json.dumps(documents).lower()
    assert "orders/order.json" not in documents


def test_the_archive_holds_what_the_person_bought_as_a_guest():
    me = UserFactory.create()
    order, _ = completed_order(email=me.email.upper())
    export = exports.ask(user_id=me.pk)

    exports.advance_export()

    export.refresh_from_db()
    documents = unpacked(bytes(export.archive))
    assert [row["id"] for row in documents["orders/order.json"]] == [str(order.pk)]


def test_the_archive_holds_the_avatar_and_erasing_lets_its_files_go(settings, tmp_path, later):
    storage = settings.STORAGES["users"]
    own = {**storage, "OPTIONS": {**storage["OPTIONS"], "location": str(tmp_path / "users")}}
    settings.STORAGES = settings.STORAGES | {"users": own}
    me = UserFactory.create()
    avatar = MODELS["users.Avatar"].objects.create(
        user=me, status="published", form_until=timezone.now()
    )
    names = [f"avatars/{avatar.pk}-{side}.webp" for side in (128, 512)]
    for name in names:
        storages["users"].save(name, ContentFile(WORD.encode()))
    export = exports.ask(user_id=me.pk)

    exports.advance_export()

    export.refresh_from_db()
    with zipfile.ZipFile(io.BytesIO(bytes(export.archive))) as opened:
        assert [opened.read(f"users/{name}") for name in names] == [WORD.encode()] * 2
        manifest = json.loads(opened.read("manifest.json"))
    assert {f"users/{name}" for name in names} <= {file["name"] for file in manifest["files"]}
    erasures.ask(user_id=me.pk)
    later()
    current_app.tasks["users.process_avatars"]()
    assert list(hits([WORD])) == []
    assert not MODELS["users.Avatar"].objects.exists()


def test_the_archive_holds_photos_of_reviews_and_erasing_lets_their_files_go(
    settings, tmp_path, later
):
    settings.MEDIA_ROOT = tmp_path
    me = UserFactory.create()
    drawn, waiting, _lost = (
        ReviewPhotoFactory.create(review__customer_id=me.pk, has_renditions=shown)
        for shown in (True, False, True)
    )
    ReviewPhotoFactory.create()
    names = [drawn.file.name.replace(".webp", "-large.webp"), waiting.file.name]
    for name in names:
        storages["products"].save(name, ContentFile(WORD.encode()))
    export = exports.ask(user_id=me.pk)

    exports.advance_export()

    export.refresh_from_db()
    with zipfile.ZipFile(io.BytesIO(bytes(export.archive))) as opened:
        files = {name: opened.read(name) for name in opened.namelist() if "reviews/" in name}
        told = {file["name"] for file in json.loads(opened.read("manifest.json"))["files"]}
    assert files == {f"catalog/{name}": WORD.encode() for name in names}
    assert files.keys() <= told
    erasures.ask(user_id=me.pk)
    later()
    current_app.tasks["catalog.process_pictures"]()
    assert list((tmp_path / "reviews").iterdir()) == []


def test_a_person_asks_waits_and_downloads_it():
    user = UserFactory.create()
    client = client_of(user)

    asked = client.post(EXPORTS, {})
    again = client.post(EXPORTS, {})
    export_id = asked.json()["id"]
    too_early = client.get(f"{EXPORTS}/{export_id}/archive")
    exports.advance_export()
    ready = client.get(f"{EXPORTS}/{export_id}")
    archive = client.get(f"{EXPORTS}/{export_id}/archive")

    assert (asked.status_code, asked.json()["status"]) == (202, "requested")
    assert (again.status_code, again.json()["code"]) == (409, "data_export_under_way")
    assert (too_early.status_code, too_early.json()["code"]) == (404, "unknown_data_export")
    assert ready.json()["status"] == "ready"
    [told] = mails_to(user.email)
    assert ready.json()["expires_at"][:10] in told.body
    assert archive.status_code == 200
    assert archive["Content-Type"] == "application/zip"
    assert archive["Cache-Control"] == "no-store"
    assert unpacked(archive.content)["users/user.json"][0]["email"] == user.email
    zipped = client.get(f"{EXPORTS}/{export_id}/archive", HTTP_ACCEPT="application/zip")
    assert zipped.content == archive.content
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "privacy.export_requested",
        "privacy.export_downloaded",
        "privacy.export_downloaded",
    ]


def test_somebody_elses_archive_is_not_there():
    owner, other = UserFactory.create(), client_of(UserFactory.create())
    export = exports.ask(user_id=owner.pk)
    exports.advance_export()

    for path in (f"{EXPORTS}/{export.pk}", f"{EXPORTS}/{export.pk}/archive"):
        for accept in ("application/json", "*/*"):
            answer = other.get(path, HTTP_ACCEPT=accept)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_data_export")
    refused = other.get(f"{EXPORTS}/{export.pk}/archive", HTTP_ACCEPT="application/zip")
    assert refused.status_code == 404
    assert other.get(EXPORTS).json() == {"results": []}
    assert APIClient().get(f"{EXPORTS}/{export.pk}/archive").status_code == 401


def test_a_new_archive_takes_the_place_of_the_old_one_and_a_week_later_it_is_gone():
    user = UserFactory.create()
    first = exports.ask(user_id=user.pk)
    exports.advance_export()
    second = exports.ask(user_id=user.pk)
    assert len(client_of(user).get(EXPORTS).json()["results"]) == 2
    exports.advance_export()

    assert [row.pk for row in exports.exports_of(user_id=user.pk)] == [second.pk]
    assert not DataExport.objects.filter(pk=first.pk).exists()
    DataExport.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    client = client_of(user)
    assert client.get(f"{EXPORTS}/{second.pk}/archive").status_code == 404
    assert exports.forget_expired_exports() == 1
    assert not DataExport.objects.exists()


def test_the_command_writes_the_same_archive_also_of_a_guest(tmp_path):
    completed_order(email="ada@example.com")
    file = tmp_path / "ada.zip"

    call_command("privacy", "export", "--email", "ADA@example.com", "--to", file)

    documents = unpacked(file.read_bytes())
    assert documents["orders/order.json"][0]["email"] == "ada@example.com"
    assert documents["manifest.json"]["person"] is None
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_wish_to_be_forgotten_over_http():
    client = client_of(UserFactory.create())

    wish = client.post(ERASURES)
    again = client.post(ERASURES)
    listed = client.get(ERASURES)
    foreign = client_of(UserFactory.create()).delete(f"{ERASURES}/{wish.json()['id']}")
    back = client.delete(f"{ERASURES}/{wish.json()['id']}")

    assert (wish.status_code, wish.json()["status"], wish.json()["waits_for"]) == (
        *(202, "scheduled"),
        "",
    )
    assert (again.status_code, again.json()["code"]) == (409, "erasure_under_way")
    assert [row["id"] for row in listed.json()["results"]] == [wish.json()["id"]]
    assert (foreign.status_code, foreign.json()["code"]) == (404, "unknown_erasure_request")
    assert back.status_code == 204


@pytest.mark.parametrize("path", [EXPORTS, ERASURES])
def test_who_logged_in_long_ago_proves_it_once_more_before_asking(path):
    user = UserFactory.create()
    client = client_of(user)
    user.sessions.update(proven_at=timezone.now() - timedelta(minutes=11))

    refused = client.post(path)
    proven = client.post("/api/v1/auth/step-up", {"password": PASSWORD})
    asked = client.post(path)

    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    assert proven.status_code < 300
    assert asked.status_code == 202


@pytest.mark.django_db(transaction=True)
def test_of_many_wishes_and_workers_one_counts():
    user = UserFactory.create()

    def wish() -> object:
        try:
            return exports.ask(user_id=user.pk)
        except exports.DataExportUnderWay as refusal:
            return refusal

    answers = at_once(*[wish] * 4)

    assert sum(isinstance(answer, DataExport) for answer in answers) == 1
    assert sorted(at_once(*[exports.advance_export] * 4)) == [False, False, False, True]
    assert DataExport.objects.get().status == "ready"


def test_a_worker_that_died_loses_its_lease_and_another_one_makes_the_archive():
    export = exports.ask(user_id=UserFactory.create().pk)
    DataExport.objects.update(lease_until=timezone.now() + timedelta(seconds=60))
    assert not exports.advance_export()

    DataExport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert exports.advance_export()

    export.refresh_from_db()
    assert export.status == "ready"
