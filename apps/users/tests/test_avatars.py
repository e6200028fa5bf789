"""Avatars: uploaded past us, looked at by a worker, shown by addresses that end."""

import base64
import json
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from django.core import signing
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from moto import mock_aws
from PIL import Image

from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Person, erase_from
from apps.users.models import Avatar, User
from apps.users.personal_data import TABLES
from apps.users.services import avatars
from apps.users.tests.factories import StaffFactory, UserFactory, client_of, enter
from apps.users.tests.test_races import at_once

pytestmark = pytest.mark.django_db

MINE, ME = "/api/v1/users/me/avatar", "/api/v1/users/me"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where this machine keeps people's files."""
    storage = settings.STORAGES["users"]
    own = {**storage, "OPTIONS": {**storage["OPTIONS"], "location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "users": own}
    return tmp_path


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200)) -> bytes:
    target = BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "secret camera"
    Image.linear_gradient("L").resize(size).save(target, kind, exif=exif)
    return target.getvalue()


def form_of(client: Any, content_type: str = "image/png") -> dict[str, Any]:
    answer = client.post(MINE, {"content_type": content_type})
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def send(form: dict[str, Any], content: bytes, name: str = "a.png", **changes: str) -> int:
    file = SimpleUploadedFile(name, content)
    fields = {**form["fields"], **changes, "file": file}
    return Client().post(urlsplit(form["url"]).path, fields).status_code


def published(client: Any, content: bytes | None = None) -> dict[str, Any]:
    """Upload a picture, have it looked at, and return what is said of it then."""
    form = form_of(client)
    assert send(form, content or picture()) == 204
    assert client.put(MINE, {"upload": form["id"]}).json()["status"] == "checking"
    work()
    return dict(client.get(MINE).json())


def work() -> None:
    while avatars.advance_avatar():
        pass


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def hours_pass() -> None:
    """Let all forms be over, and all that waits be due."""
    past = timezone.now() - timedelta(hours=1)
    Avatar.objects.update(form_until=past)
    Avatar.objects.exclude(next_action_at=None).update(next_action_at=past)


def test_an_uploaded_picture_is_drawn_anew_and_shown(client_me, me, folder):
    shown = published(client_me)

    assert shown["status"] == "published"
    assert client_me.get(ME).json()["avatar"].keys() == {"small", "large"}
    for size, side in (("small", 128), ("large", 512)):
        answer = Client().get(urlsplit(shown["pictures"][size]).path)
        content = answer.getvalue()
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "private, max-age=300"
        assert Image.open(BytesIO(content)).size == (side, side)
        assert b"secret" not in content
    assert names_in(folder) == [f"avatars/{shown['id']}-{side}.webp" for side in (128, 512)]
    assert AuditEntry.objects.get(action="users.avatar_changed").about == str(me.pk)


def test_without_an_avatar_there_is_none(client_me):
    assert client_me.get(ME).json()["avatar"] is None
    assert client_me.get(MINE).json() == {"id": None, "status": "none", "pictures": None}
    assert client_me.delete(MINE).status_code == 204


def test_reading_the_profile_costs_no_further_statement(
    client_me, folder, django_assert_num_queries
):
    published(client_me)

    with django_assert_num_queries(1):
        client_me.get(ME)


def test_a_new_avatar_takes_the_place_of_the_one_before_whose_files_go(client_me, folder):
    published(client_me)

    second = published(client_me)

    assert names_in(folder) == [f"avatars/{second['id']}-{side}.webp" for side in (128, 512)]
    hours_pass()
    work()
    assert [str(avatar.pk) for avatar in Avatar.objects.all()] == [second["id"]]


def test_a_removed_avatar_leaves_nothing(client_me, me, folder):
    published(client_me)

    assert client_me.delete(MINE).status_code == 204
    work()

    assert client_me.get(ME).json()["avatar"] is None
    assert client_me.get(MINE).json()["status"] == "none"
    assert names_in(folder) == []
    assert AuditEntry.objects.filter(action="users.avatar_removed", about=str(me.pk)).count() == 1


def test_what_comes_after_the_picture_was_removed_is_deleted_as_well(client_me, folder):
    form = form_of(client_me)
    client_me.delete(MINE)
    work()

    assert send(form, picture()) == 204
    hours_pass()
    work()

    assert names_in(folder) == []
    assert not Avatar.objects.exists()


@pytest.mark.parametrize(
    "content",
    [b"GIF89a/*", b"<svg/>", b"%!PS", picture("TIFF"), picture()[:99], picture(size=(4001, 4000))],
    ids=["GIF", "SVG", "EPS", "TIFF", "cut off", "too many pixels"],
)
def test_what_is_no_picture_is_refused_and_deleted(client_me, folder, content):
    assert published(client_me, content)["status"] == "refused"
    assert names_in(folder) == []
    assert client_me.get(ME).json()["avatar"] is None

    hours_pass()
    work()
    assert not Avatar.objects.exists()


def test_an_upload_that_never_came_is_refused(client_me, folder):
    form = form_of(client_me)
    client_me.put(MINE, {"upload": form["id"]})
    work()

    assert client_me.get(MINE).json()["status"] == "refused"


def test_an_upload_that_nobody_speaks_of_again_is_swept(client_me, folder):
    assert send(form_of(client_me), picture()) == 204
    hours_pass()
    work()

    assert names_in(folder) == []
    assert not Avatar.objects.exists()


def test_a_refused_picture_leaves_the_one_before(client_me, folder):
    before = published(client_me)

    assert published(client_me, b"no picture")["status"] == "refused"
    assert before["id"] in "".join(names_in(folder))
    assert client_me.get(ME).json()["avatar"]


# Whose


def test_nobody_elses_upload_can_be_taken(client_me, folder):
    form = form_of(client_me)
    send(form, picture())
    other = client_of(UserFactory.create())

    answer = other.put(MINE, {"upload": form["id"]})

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_upload")
    assert Avatar.objects.get().status == "awaited"


@pytest.mark.parametrize(
    "change",
    [
        {"key": "uploads/../avatars/x.webp"},
        {"key": "../../etc/passwd"},
        {"key": ""},
        {"Content-Type": "text/html"},
        {"policy": "forged"},
        {"policy": ""},
        {"policy": signing.dumps(["uploads/x", "image/png", 9**9], salt="another")},
    ],
    ids=["another name", "a path", "no name", "another type", "forged", "none", "another's"],
)
def test_a_changed_form_is_refused(client_me, folder, change):
    assert send(form_of(client_me), picture(), **change) in {400, 403}
    assert names_in(folder) == []


@pytest.mark.parametrize("size", [0, 2 * 1024 * 1024 + 1, 4 * 1024 * 1024])
def test_a_file_of_another_size_is_refused(client_me, folder, size):
    assert send(form_of(client_me), bytes(size)) == 400
    assert names_in(folder) == []


@pytest.mark.parametrize("name", ["../../evil.php", "a\0.png", ".htaccess", "x" * 300])
def test_the_uploaders_name_is_never_used(client_me, folder, name):
    form = form_of(client_me)
    send(form, picture(), name)

    assert names_in(folder) in ([form["fields"]["key"]], [])


def test_a_form_ends_after_ten_minutes(client_me, folder, monkeypatch):
    form = form_of(client_me)
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)

    assert send(form, picture()) == 403


def test_an_address_ends_after_five_minutes_and_cannot_be_made_up(client_me, folder, monkeypatch):
    path = urlsplit(published(client_me)["pictures"]["small"]).path
    name = names_in(folder)[0]
    later = time.time() + 301

    assert Client().get(path + "x").status_code == 403
    assert Client().get(f"/files/{signing.dumps(name)}").status_code == 403
    assert Client().get(f"/media/users/{name}").status_code == 404
    monkeypatch.setattr(time, "time", lambda: later)
    assert Client().get(path).status_code == 403


@pytest.mark.parametrize("document", [{}, {"content_type": "image/gif"}, {"content_type": 7}])
def test_only_pictures_may_be_announced(client_me, document):
    assert client_me.post(MINE, document).status_code == 400
    assert not Avatar.objects.exists()


# At once, and in spite of accidents


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_open_one_upload_and_show_one_avatar(folder):
    user = UserFactory.create()
    opened = at_once(8, lambda _: avatars.allow_upload(user_id=user.pk, content_type="image/png"))
    assert len({avatar.pk for avatar, _ in opened}) == 1
    for _ in range(4):
        avatar, _ = avatars.allow_upload(user_id=user.pk, content_type="image/png")
        storages["users"].save(avatar.original, SimpleUploadedFile("x", picture()))
        avatars.take_upload(user_id=user.pk, upload_id=avatar.pk)

    assert not [each for each in at_once(4, lambda _: work()) if each]

    shown = Avatar.objects.get(status="published")
    assert User.objects.get().avatar_id == shown.pk
    assert len(names_in(folder)) == 2


def test_a_worker_that_died_half_way_costs_time_only(client_me, folder, monkeypatch):
    form = form_of(client_me)
    send(form, picture())
    client_me.put(MINE, {"upload": form["id"]})
    with monkeypatch.context() as patch:
        patch.setattr(avatars, "_show", lambda _: 1 / 0)
        assert avatars.advance_avatar()
    assert client_me.get(MINE).json()["status"] == "checking"

    Avatar.objects.update(next_action_at=F("created_at"))
    work()

    assert client_me.get(MINE).json()["status"] == "published"
    assert len(names_in(folder)) == 2


def test_an_avatar_that_is_removed_while_it_is_drawn_is_not_shown(
    client_me, me, folder, monkeypatch
):
    form = form_of(client_me)
    send(form, picture())
    client_me.put(MINE, {"upload": form["id"]})
    drawn = avatars.redrawn

    def meanwhile(**how: Any) -> Any:
        client_me.delete(MINE)
        return drawn(**how)

    monkeypatch.setattr(avatars, "redrawn", meanwhile)
    work()

    me.refresh_from_db()
    assert me.avatar_id is None
    assert names_in(folder) == []


def test_of_an_erased_person_no_file_is_left(client_me, me, folder):
    published(client_me)

    erase_from(TABLES, person=Person(user_id=me.pk))
    work()

    assert names_in(folder) == []
    hours_pass()
    work()
    assert not Avatar.objects.exists()


# In a bucket


@pytest.fixture
def bucket(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    settings.AWS_USERS_BUCKET = "people"
    options = {"bucket_name": "people", "default_acl": None, "signature_version": "s3v4"}
    own = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "users": own}
    with mock_aws():
        people = boto3.resource("s3").Bucket("people")
        people.create()
        yield people


def test_a_form_of_the_bucket_allows_one_name_one_type_and_two_mib(client_me, bucket):
    form = form_of(client_me, "image/webp")

    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    conditions = policy["conditions"]
    assert {"bucket": "people"} in conditions
    assert {"key": f"uploads/{form['id']}"} in conditions
    assert {"Content-Type": "image/webp"} in conditions
    assert ["content-length-range", 1, 2 * 1024 * 1024] in conditions
    assert not [each for each in conditions if "acl" in each]


def test_a_picture_goes_through_a_bucket_and_leaves_it(client_me, bucket):
    form = form_of(client_me)
    assert requests.post(form["url"], data=form["fields"], files={"file": picture()}, timeout=10).ok
    client_me.put(MINE, {"upload": form["id"]})
    work()

    shown = client_me.get(MINE).json()
    assert {each.key for each in bucket.objects.all()} == {
        f"avatars/{form['id']}-{side}.webp" for side in (128, 512)
    }
    assert "X-Amz-Expires=" in shown["pictures"]["small"]
    content = requests.get(shown["pictures"]["small"], timeout=10).content
    assert Image.open(BytesIO(content)).size == (128, 128)
    for each in bucket.objects.all():
        grants = each.Acl().grants
        assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]

    client_me.delete(MINE)
    work()
    assert not list(bucket.objects.all())


# In the back office


def test_staff_see_an_avatar_and_remove_it(client_me, me, folder):
    office = enter(Client(), StaffFactory.create(is_superuser=True))
    published(client_me)
    page = reverse("admin:users_user_change", args=[me.pk])
    assert "/files/" in office.get(page).content.decode()

    selected = {"action": "remove_avatars", "_selected_action": [str(me.pk)]}
    answer = office.post(reverse("admin:users_user_changelist"), selected, follow=True)

    assert "1 avatar removed." in answer.content.decode()
    me.refresh_from_db()
    assert me.avatar_id is None
    assert AuditEntry.objects.filter(action="users.avatar_removed", about=str(me.pk)).exists()
