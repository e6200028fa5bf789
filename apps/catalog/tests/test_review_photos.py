"""Photos of reviews: brought by the author, shown while the review is, gone with their files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from PIL import Image as Pillow
from rest_framework.test import APIClient

from apps.catalog.models import PhotoWork, Product, Review, ReviewPhoto
from apps.catalog.services import pictures, review_photos
from apps.catalog.services.erasure import erase
from apps.catalog.tests.factories import ReviewFactory, ReviewPhotoFactory
from apps.catalog.tests.test_media import SVG, bomb, picture, send, sizes
from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Person

pytestmark = pytest.mark.django_db

API = "/api/v1/reviews"


@pytest.fixture(autouse=True)
def folder(media: Path) -> Path:
    return media / "reviews"


@pytest.fixture
def anna() -> Any:
    user = get_user_model().objects.create_user("anna@example.com", "long enough password")
    client: Any = APIClient()
    client.force_authenticate(user)
    client.id = user.pk
    return client


@pytest.fixture
def review(anna) -> Review:
    """A shown review of Anna's."""
    return ReviewFactory.create(customer_id=anna.id)


def upload(client: Any, review: Review, content: bytes | None = None, **fields: Any) -> Any:
    file = SimpleUploadedFile("me.png", picture() if content is None else content, "image/png")
    return send(client, f"{API}/{review.pk}/photos", {"file": file, **fields})


def decide(staff: Any, review: Review, decision: str = "approve") -> None:
    staff.post(f"{API}/{review.pk}/moderations", {"decision": decision, "reason": "x"})


def work() -> None:
    while pictures.advance_picture():
        pass


def make_due() -> None:
    PhotoWork.objects.update(next_action_at="2026-01-01T00:00:00Z")


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


# Adding


def test_a_photo_is_shown_with_its_review_once_somebody_has_read_it(
    anna, staff, visitor, review, folder
) -> None:
    address = f"/api/v1/products/{review.product_id}"
    added = upload(anna, review)
    work()
    hidden = visitor.get(f"{address}/reviews").json()["results"]
    stars = visitor.get(f"{address}/rating").json()["count"]
    [waiting] = staff.get(f"{API}?status=pending").json()["results"]

    decide(staff, review)

    assert added.status_code == 201
    assert added["Location"].endswith(f"/photos/{added.json()['id']}")
    assert (added.json()["width"], added.json()["height"]) == (900, 300)
    assert set(added.json()["renditions"].values()) == {added.json()["url"]}
    assert (hidden, stars) == ([], 0)
    assert [photo["id"] for photo in waiting["photos"]] == [added.json()["id"]]
    [shown] = visitor.get(f"{address}/reviews").json()["results"]
    decide(staff, review, "reject")
    assert visitor.get(f"{address}/reviews").json()["results"] == []
    stem = added.json()["url"].rpartition(".")[0]
    assert shown["photos"] == [
        {
            "id": added.json()["id"],
            "url": f"{stem}.png",
            "width": 900,
            "height": 300,
            "renditions": {
                name: f"{stem}-{name}.webp" for name in ("thumbnail", "medium", "large")
            },
        }
    ]
    assert sizes(folder) == [
        ("-large.webp", "WEBP", (900, 300)),
        ("-medium.webp", "WEBP", (600, 200)),
        ("-thumbnail.webp", "WEBP", (200, 67)),
        (".png", "PNG", (900, 300)),
    ]


def test_the_version_that_was_read_is_not_the_one_with_a_photo(anna, staff, review) -> None:
    upload(anna, review)

    late = staff.post(
        f"{API}/{review.pk}/moderations", {"decision": "approve"}, HTTP_IF_MATCH='"1"'
    )

    assert (late.status_code, late.json()["code"]) == (412, "version_mismatch")


def test_a_review_has_five_photos_and_room_again_when_one_goes(anna, review, folder) -> None:
    there = [
        str(ReviewPhotoFactory.create(review=review, position=position).pk)
        for position in (0, 1, 2, 4)
    ]
    fifth = upload(anna, review)
    full = upload(anna, review, b"not even read")
    kept = len(files(folder))

    anna.delete(f"{API}/{review.pk}/photos/{there[1]}")
    again = upload(anna, review)

    assert (full.status_code, full.json()["code"]) == (409, "too_many_photos")
    assert kept == 1
    assert (fifth.status_code, again.status_code) == (201, 201)
    shown = [photo["id"] for photo in anna.get(f"{API}/{review.pk}").json()["photos"]]
    assert shown == [there[0], again.json()["id"], there[2], fifth.json()["id"], there[3]]


def test_the_database_takes_no_sixth_photo(review) -> None:
    ReviewPhotoFactory.create(review=review)

    for position, constraint in ((0, "photo_has_its_own_place"), (5, "has_at_most_5_photos")):
        with pytest.raises(IntegrityError, match=f"review_{constraint}"), transaction.atomic():
            ReviewPhotoFactory.create(review=review, position=position)


def test_nobody_adds_a_photo_to_what_another_wrote(anna, staff, visitor) -> None:
    theirs = ReviewFactory.create()

    refused = [upload(who, theirs, b"not even read") for who in (anna, staff, visitor)]

    assert [each.status_code for each in refused] == [404, 404, 401]
    assert refused[0].json()["code"] == "unknown_review"
    assert not ReviewPhoto.objects.exists()


def test_pages_cost_as_much_with_photos_as_without(
    visitor, review, django_assert_num_queries
) -> None:
    for position in range(5):
        ReviewPhotoFactory.create(review=review, position=position)
    for _ in range(2):
        ReviewPhotoFactory.create(review__product=review.product)

    for limit, photos in ((1, 1), (100, 7)):
        with django_assert_num_queries(2):
            page = visitor.get(f"/api/v1/products/{review.product_id}/reviews?limit={limit}").json()
        assert sum(len(row["photos"]) for row in page["results"]) == photos


# Removing


def test_an_author_removes_a_photo_and_its_files_go(anna, visitor, review, folder) -> None:
    ReviewPhotoFactory.create(review=review, position=4)
    photo = upload(anna, review).json()["id"]
    work()

    removed = anna.delete(f"{API}/{review.pk}/photos/{photo}")
    work()

    assert removed.status_code == 204
    assert files(folder) == []
    assert ReviewPhoto.objects.get().position == 4
    assert anna.delete(f"{API}/{review.pk}/photos/{photo}").json()["code"] == "unknown_photo"
    review.refresh_from_db()
    assert (review.status, review.version) == ("pending", 3)


def test_staff_remove_a_photo_and_the_rest_stays_as_it_is(staff, visitor, review, folder) -> None:
    photo = ReviewPhotoFactory.create(review=review)

    removed = staff.delete(f"{API}/{review.pk}/photos/{photo.pk}")

    assert removed.status_code == 204
    shown = visitor.get(f"{API}/{review.pk}").json()
    assert (shown["photos"], shown["title"]) == ([], review.title)
    entry = AuditEntry.objects.get(action="catalog.review_photo_removed")
    assert (entry.about, entry.before) == (str(review.pk), {"photo": str(photo.pk)})
    assert PhotoWork.objects.filter(goes=True, file=photo.file.name).count() == 1


def test_a_photo_is_not_removed_by_others_or_through_another_review(anna, visitor, review) -> None:
    theirs = ReviewPhotoFactory.create()

    said = [
        who.delete(f"{API}/{of.pk}/photos/{theirs.pk}")
        for who, of in ((anna, theirs.review), (anna, review), (visitor, theirs.review))
    ]

    assert [each.status_code for each in said] == [404, 404, 401]
    assert [each.json()["code"] for each in said[:2]] == ["unknown_review", "unknown_photo"]
    assert ReviewPhoto.objects.get() == theirs


def test_the_files_go_with_the_review(anna, review, folder) -> None:
    upload(anna, review)
    work()
    kept = len(files(folder))

    anna.delete(f"{API}/{review.pk}")
    work()

    assert kept == 4
    assert files(folder) == []
    assert not PhotoWork.objects.filter(goes=False).exists()


def test_an_erased_author_leaves_the_review_and_no_photo(anna, visitor, review, folder) -> None:
    waiting = ReviewFactory.create(customer_id=anna.id, status="pending")
    other = ReviewPhotoFactory.create()
    for mine in (review, waiting):
        upload(anna, mine)
    Review.objects.filter(pk=review.pk).update(status="approved")
    kept = len(files(folder))

    with transaction.atomic():
        erase(person=Person(anna.id))
    work()

    assert kept == 2
    assert files(folder) == []
    assert visitor.get(f"{API}/{review.pk}").json()["photos"] == []
    assert ReviewPhoto.objects.get() == other


# Files


def test_what_was_stored_and_never_shown_is_deleted(anna, review, folder, monkeypatch) -> None:
    def crash(**_: object) -> None:
        raise OSError("crashed")

    monkeypatch.setattr(review_photos, "change_review", crash)
    with pytest.raises(OSError, match="crashed"):
        upload(anna, review)
    left = len(files(folder))

    make_due()
    work()

    assert left == 1
    assert files(folder) == []


def test_a_photo_that_is_refused_at_the_last_moment_leaves_the_review_and_no_file(
    anna, review, folder, monkeypatch
) -> None:
    for position in range(5):
        ReviewPhotoFactory.create(review=review, position=position)
    monkeypatch.setattr(review_photos, "require_room", lambda **_: None)

    refused = upload(anna, review)
    make_due()
    work()

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_photos")
    assert files(folder) == []
    review.refresh_from_db()
    assert (review.status, review.version) == ("approved", 1)
    assert Product.objects.get(pk=review.product_id).rating_count == 1


def test_what_is_shown_survives_the_look_after_the_upload(anna, review, folder) -> None:
    upload(anna, review)
    work()

    make_due()
    work()

    assert len(files(folder)) == 4
    assert not PhotoWork.objects.exists()


def test_photos_without_renditions_get_theirs_by_a_command(anna, review, folder) -> None:
    upload(anna, review)
    PhotoWork.objects.filter(goes=False).delete()

    call_command("make_renditions")

    assert ReviewPhoto.objects.get().has_renditions is True
    assert len(files(folder)) == 4


def test_where_it_was_taken_and_with_what_is_not_kept(anna, review, folder) -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "secret camera"
    exif.get_ifd(0x8825)[1] = "N"

    upload(anna, review, picture("JPEG", exif=exif) + b"<script>alert(1)</script>")
    work()

    assert len(files(folder)) == 4
    for path in files(folder):
        content = path.read_bytes()
        assert not any(word in content for word in (b"secret camera", b"Exif", b"<script>"))


# Bad input


@pytest.mark.parametrize(
    "content",
    [
        lambda: SVG,
        lambda: picture("GIF"),
        lambda: picture()[:200],
        lambda: b"%PDF-1.7 " + bytes(100),
        bomb,
        lambda: picture() + bytes(10 * 1024 * 1024 - len(picture()) + 1),
    ],
    ids=["svg", "gif", "half a picture", "pdf", "bomb", "more than 10 MiB"],
)
def test_what_is_no_picture_is_refused_and_nothing_kept(
    anna, review, folder, content: Callable[[], bytes]
) -> None:
    refused = upload(anna, review, content())

    assert (refused.status_code, refused.json()["code"]) == (422, "not_a_picture")
    assert (files(folder), PhotoWork.objects.count()) == ([], 0)
    review.refresh_from_db()
    assert (review.status, review.version) == ("approved", 1)


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"file": SimpleUploadedFile("a.png", b"", "image/png")}, "/file"),
        ({"file": "a.png"}, "/file"),
        ({}, "/file"),
        ({"file": SimpleUploadedFile("a.png", b"x"), "position": "0"}, "/position"),
    ],
    ids=["empty", "words", "nothing", "unknown"],
)
def test_a_form_with_a_fault_is_refused(anna, review, form, pointer) -> None:
    refused = send(anna, f"{API}/{review.pk}/photos", form)

    assert refused.status_code == 400
    assert [entry["pointer"] for entry in refused.json()["errors"]] == [pointer]


def test_json_and_too_much_are_refused(anna, review) -> None:
    assert anna.post(f"{API}/{review.pk}/photos", {"file": "x"}).status_code == 415
    assert upload(anna, review, bytes(11 * 1024 * 1024)).status_code == 413


# The back office


def test_staff_see_photos_where_they_decide_and_remove_them(enter, anna, review, folder) -> None:
    upload(anna, review)
    work()
    photo = ReviewPhoto.objects.get()
    small = photo.file.url.replace(".png", "-thumbnail.webp")
    boss = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    office = enter(Client(), boss)
    pages = ["review/", f"review/{review.pk}/change/", "reviewphoto/?review__status=pending"]

    seen = [office.get(f"/admin/catalog/{page}").content.decode().count(small) for page in pages]
    office.post("/admin/catalog/reviewphoto/", {"action": "remove", "_selected_action": [photo.pk]})
    work()

    assert seen == [1, 1, 1]
    assert not ReviewPhoto.objects.exists()
    assert files(folder) == []
    assert AuditEntry.objects.filter(action="catalog.review_photo_removed").count() == 1
