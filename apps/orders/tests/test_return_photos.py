"""Photos of returns: brought by the shopper, seen by who decides, gone with their files."""

from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse
from PIL import Image as Pillow
from rest_framework.test import APIClient

from apps.catalog.tests.factories import StockLocationFactory
from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Person
from apps.orders import interface
from apps.orders.models import ReturnPhoto, ReturnPhotoWork
from apps.orders.services import return_photos, returns
from apps.orders.tests.factories import delivered_order, paid_order, requested_return, return_photo
from apps.orders.tests.test_change_sets import holder_client, refusal
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import (
    StaffFactory,
    UserFactory,
    access_token_for,
    enter,
    staff_client,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """Where the orders' files are kept during the test."""
    settings.STORAGES = {
        **settings.STORAGES,
        "orders": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    storages._storages.clear()
    yield tmp_path / "returns"
    storages._storages.clear()


@pytest.fixture
def bought():
    """A return of a guest's, and the guest."""
    order, holder = delivered_order()
    return requested_return(order), holder_client(holder)


def picture(kind="PNG", size=(900, 300), **options):
    target = BytesIO()
    Pillow.linear_gradient("L").resize(size).convert("RGB").save(target, kind, **options)
    return target.getvalue()


def upload(client, found, content=None):
    file = SimpleUploadedFile("me.png", picture() if content is None else content, "image/png")
    body = encode_multipart(BOUNDARY, {"file": file})
    path = f"/api/v1/returns/{found.pk}/photos"
    return client.post(path, body, content_type=MULTIPART_CONTENT)


def files(folder):
    return list(folder.iterdir()) if folder.exists() else []


def work():
    ReturnPhotoWork.objects.update(next_action_at="2026-01-01T00:00:00Z")
    while return_photos.advance_file():
        pass


def test_a_shopper_shows_what_arrived(bought, folder):
    found, guest = bought

    added = upload(guest, found, picture(size=(4000, 1000)))

    assert added.status_code == 201, added.content
    photo = added.json()
    assert (photo["width"], photo["height"]) == (2048, 512)
    assert added["Location"] == photo["url"]
    assert guest.get(f"/api/v1/returns/{found.pk}").json()["photos"] == [photo]
    shown = guest.get(photo["url"], headers={"Accept": "image/webp"})
    assert (shown["Content-Type"], shown["Cache-Control"]) == ("image/webp", "private, no-cache")
    with Pillow.open(BytesIO(shown.content)) as file:
        assert (file.format, file.size) == ("WEBP", (2048, 512))
    assert [path.suffix for path in files(folder)] == [".webp"]
    entry = AuditEntry.objects.get(action="orders.return_photo_added")
    assert (entry.about, entry.after) == (str(found.pk), {"photo": photo["id"]})


def test_nobody_else_sees_it(bought):
    found, guest = bought
    url = upload(guest, found).json()["url"]
    _, stranger = paid_order()
    other = requested_return(delivered_order()[0])

    for client in (APIClient(), holder_client(stranger)):
        assert client.get(url).status_code == 404
        assert client.delete(url).status_code == 404
        assert upload(client, found).status_code == 404
    looker = staff_client("orders.view_order")
    for answer in (looker.get(url), looker.delete(url), upload(looker, found)):
        assert refusal(answer) == (403, "return_not_allowed")
    warehouse = staff_client("orders.view_order", "orders.view_return")
    assert warehouse.get(url).status_code == 200
    assert refusal(warehouse.delete(url)) == (403, "return_not_allowed")
    elsewhere = url.replace(str(found.pk), str(other.pk))
    assert refusal(warehouse.get(elsewhere)) == (404, "unknown_photo")
    assert guest.get(url).status_code == 200


def test_a_return_has_five_photos_and_room_again_when_one_goes(bought, folder):
    found, guest = bought
    for position in (0, 1, 2, 4):
        return_photo(found, position)

    assert upload(guest, found).status_code == 201
    assert refusal(upload(guest, found, b"not even read")) == (409, "too_many_photos")
    gone = found.photos.get(position=1)
    assert guest.delete(f"/api/v1/returns/{found.pk}/photos/{gone.pk}").status_code == 204
    assert upload(guest, found).status_code == 201
    assert sorted(found.photos.values_list("position", flat=True)) == [0, 1, 2, 3, 4]
    work()
    assert len(files(folder)) == 5


def test_the_database_has_the_last_word(bought):
    found, _ = bought
    return_photo(found)

    for position in (0, 5):
        with pytest.raises(IntegrityError), transaction.atomic():
            return_photo(found, position)


def test_photos_are_of_returns_whose_goods_are_not_here(bought):
    found, guest = bought
    url = upload(guest, found).json()["url"]
    returns.approve_return(return_id=found.pk)
    assert upload(guest, found).status_code == 201
    returns.receive_return(return_id=found.pk)

    assert refusal(upload(guest, found)) == (409, "return_status_conflict")
    assert refusal(guest.delete(url)) == (409, "return_status_conflict")
    assert staff_client("orders.view_order", "orders.decide_return").delete(url).status_code == 204
    assert AuditEntry.objects.filter(action="orders.return_photo_removed").count() == 1


def test_where_it_was_taken_and_with_what_is_not_kept(bought, folder):
    found, guest = bought
    exif = Pillow.Exif()
    exif[0x010F] = "secret camera"
    exif.get_ifd(0x8825)[1] = "N"

    upload(guest, found, picture("JPEG", exif=exif) + b"<script>alert(1)</script>")

    [file] = files(folder)
    content = file.read_bytes()
    assert not any(word in content for word in (b"secret camera", b"Exif", b"<script>"))


@pytest.mark.parametrize(
    "content",
    [
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        lambda: picture("GIF"),
        lambda: picture()[:200],
        lambda: b"%PDF-1.7 " + bytes(100),
        lambda: picture(size=(17_000, 1_000)),
        lambda: picture() + bytes(10 * 1024 * 1024 - len(picture()) + 1),
    ],
    ids=["svg", "gif", "half a picture", "pdf", "too many pixels", "more than 10 MiB"],
)
def test_what_is_no_picture_is_refused_and_nothing_kept(bought, folder, content):
    found, guest = bought

    assert refusal(upload(guest, found, content())) == (422, "not_a_picture")

    assert (files(folder), ReturnPhoto.objects.count()) == ([], 0)


def test_a_form_without_a_picture_is_refused(bought):
    found, guest = bought
    path = f"/api/v1/returns/{found.pk}/photos"

    assert guest.post(path, {"file": "x"}, format="json").status_code == 415
    empty = guest.post(path, encode_multipart(BOUNDARY, {}), content_type=MULTIPART_CONTENT)
    assert refusal(empty) == (400, "validation_failed")


def test_what_was_stored_and_never_shown_is_deleted(bought, folder, monkeypatch):
    found, guest = bought

    def crash(_):
        raise OSError("crashed")

    with monkeypatch.context() as broken:
        broken.setattr(return_photos, "locked_return", crash)
        with pytest.raises(OSError, match="crashed"):
            upload(guest, found)
    kept = upload(guest, found).json()["url"]
    assert len(files(folder)) == 2

    work()

    assert len(files(folder)) == 1
    assert guest.get(kept).status_code == 200
    assert not ReturnPhotoWork.objects.exists()


def test_photos_are_in_an_export_and_go_with_an_erasure(folder):
    customer = UserFactory()
    order, _ = delivered_order(customer_id=customer.pk)
    found = requested_return(order)
    me = APIClient(headers={"Authorization": f"Bearer {access_token_for(customer)}"})
    url = upload(me, found).json()["url"]
    theirs = return_photo(requested_return(delivered_order()[0]))

    [document] = interface.documents_of(person=Person(customer.pk))

    assert document.name == ReturnPhoto.objects.get(parent=found).file
    assert document.content == me.get(url).content
    returns.reject_return(return_id=found.pk, reason="x")
    interface.erase(person=Person(customer.pk))
    work()
    assert ReturnPhoto.objects.get() == theirs
    assert [path.name for path in files(folder)] == [Path(theirs.file).name]


def test_staff_look_at_photos_in_the_back_office(bought):
    found, guest = bought
    photo = upload(guest, found).json()["id"]
    address = reverse("admin:orders_return_photo", args=[found.pk, photo])

    sees = enter(Client(), StaffFactory(permissions=["orders.view_return"]))
    page = sees.get(reverse("admin:orders_return_change", args=[found.pk]))

    assert address in page.content.decode()
    assert sees.get(address)["Content-Type"] == "image/webp"
    others = enter(Client(), StaffFactory(permissions=["orders.view_order"]))
    assert others.get(address).status_code == 403
    unknown = reverse("admin:orders_return_photo", args=[found.pk, found.pk])
    assert sees.get(unknown).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_8_photos_at_once_5_are_kept(folder):
    StockLocationFactory()
    order, holder = delivered_order()
    found = requested_return(order)
    content = picture(size=(20, 10))

    def add():
        return upload(holder_client(holder), found, content).status_code

    answers = at_once([add] * 8)

    assert sorted(answers) == [201] * 5 + [409] * 3
    assert found.photos.count() == 5
    work()
    assert len(files(folder)) == 5
