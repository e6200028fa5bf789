"""Pictures of products: brought by staff, drawn anew, shown in four sizes, deleted with files."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image as Pillow

from apps.catalog.models import Image, PictureWork, Product
from apps.catalog.models.media import product_storage
from apps.catalog.services import images, pictures
from apps.catalog.tests.factories import ProductFactory
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db

API = "/api/v1/products"


@pytest.fixture(autouse=True)
def folder(media: Path) -> Path:
    return media / "products"


@pytest.fixture
def product() -> Product:
    return ProductFactory.create()


def picture(kind: str = "PNG", size: tuple[int, int] = (900, 300), **options: Any) -> bytes:
    target = BytesIO()
    Pillow.linear_gradient("L").resize(size).convert("RGB").save(target, kind, **options)
    return target.getvalue()


def upload(client: Any, product_id: object, content: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("holiday.png", content, "image/png")
    return send(client, f"{API}/{product_id}/media", {"file": file, **fields})


def send(client: Any, address: str, form: dict[str, Any]) -> Any:
    body = encode_multipart(BOUNDARY, form)
    return client.post(address, body, content_type=MULTIPART_CONTENT)


def work() -> None:
    while pictures.advance_picture():
        pass


def make_due() -> None:
    PictureWork.objects.update(next_action_at="2026-01-01T00:00:00Z")


def shown(client: Any, product: Product) -> list[dict[str, Any]]:
    return list(client.get(f"{API}/{product.pk}").json()["images"])


def sizes(folder: Path) -> list[tuple[str, str, tuple[int, int]]]:
    """Return ending, format and size of every file."""
    found = []
    for path in sorted(folder.iterdir()):
        with Pillow.open(path) as file:
            found.append((path.name[36:], file.format or "", file.size))
    return found


def test_a_picture_is_shown_at_once_and_its_renditions_once_they_are_drawn(
    staff, visitor, product, folder
) -> None:
    added = upload(staff, product.pk, picture(), alt="From the side")
    [before] = shown(visitor, product)
    version = Product.objects.get(pk=product.pk).version

    work()

    assert added.status_code == 201
    assert added["Location"].endswith(f"/media/{added.json()['id']}")
    assert (before["alt"], before["width"], before["height"]) == ("From the side", 900, 300)
    assert set(before["renditions"].values()) == {before["url"]}
    [after] = shown(visitor, product)
    stem = after["url"].rpartition(".")[0]
    assert after["renditions"] == {
        name: f"{stem}-{name}.webp" for name in ("thumbnail", "medium", "large")
    }
    assert sizes(folder) == [
        ("-large.webp", "WEBP", (900, 300)),
        ("-medium.webp", "WEBP", (600, 200)),
        ("-thumbnail.webp", "WEBP", (200, 67)),
        (".png", "PNG", (900, 300)),
    ]
    assert OutboxEvent.objects.filter(name="catalog.product_changed").count() == 2
    assert Product.objects.get(pk=product.pk).version == version
    assert not PictureWork.objects.filter(goes=False).exists()


def test_the_list_shows_what_is_there_in_every_size(staff, visitor, product, media) -> None:
    upload(staff, product.pk, picture())
    work()

    [listed] = visitor.get(API).json()["results"]

    [image] = listed["images"]
    for url in (image["url"], *image["renditions"].values()):
        assert (media / url.removeprefix("/media/")).is_file()


def test_pictures_stand_in_their_order_and_their_words_change(staff, visitor, product) -> None:
    first, second = (upload(staff, product.pk, picture(), alt=alt).json() for alt in "AB")
    address = f"{API}/{product.pk}/media"

    changed = staff.patch(f"{address}/{first['id']}", {"alt": "Z", "position": 7})

    assert (first["position"], second["position"]) == (0, 1)
    assert (changed.status_code, changed.json()["alt"]) == (200, "Z")
    results = visitor.get(address).json()["results"]
    assert [(row["id"], row["position"]) for row in results] == [
        (second["id"], 1),
        (first["id"], 7),
    ]
    assert [row["alt"] for row in shown(visitor, product)] == ["B", "Z"]
    assert Product.objects.get(pk=product.pk).version == product.version + 3


def test_a_removed_picture_leaves_no_file(staff, visitor, product, folder) -> None:
    added = upload(staff, product.pk, picture()).json()
    work()

    removed = staff.delete(f"{API}/{product.pk}/media/{added['id']}")
    work()

    assert removed.status_code == 204
    assert shown(visitor, product) == []
    assert list(folder.iterdir()) == []
    assert staff.delete(f"{API}/{product.pk}/media/{added['id']}").status_code == 404


def test_another_products_picture_is_neither_changed_nor_removed(staff, product) -> None:
    added = upload(staff, product.pk, picture()).json()
    other = f"{API}/{ProductFactory.create().pk}/media/{added['id']}"

    answers = [staff.patch(other, {"alt": "x"}), staff.delete(other)]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (404, "unknown_image")
    ] * 2
    assert Image.objects.get().alt == ""


def test_what_was_stored_and_never_shown_is_deleted(staff, product, folder, monkeypatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise OSError("crashed")

    monkeypatch.setattr(images, "_change", crash)
    with pytest.raises(OSError, match="crashed"):
        upload(staff, product.pk, picture())
    left = len(list(folder.iterdir()))

    make_due()
    work()

    assert left == 1
    assert list(folder.iterdir()) == []


def test_what_is_shown_survives_the_look_after_the_upload(staff, product, folder) -> None:
    upload(staff, product.pk, picture())
    work()

    make_due()
    work()

    assert len(list(folder.iterdir())) == 4
    assert not PictureWork.objects.exists()


def test_another_file_for_the_same_picture_is_drawn_and_the_old_ones_go(product, folder) -> None:
    small, large = (
        pictures.clean_picture(content=picture("JPEG", size)) for size in ((100, 100), (1300, 1300))
    )
    images.add_pictures(pictures=[(product.pk, "", small)])
    work()
    image = Image.objects.get()

    name = product_storage().save(f"products/{large.name}", ContentFile(large.content))
    Image.objects.update(file=name)
    image.refresh_from_db()
    drawn_before = image.has_renditions
    work()

    assert drawn_before is False
    assert Image.objects.get().has_renditions is True
    assert [size for _, _, size in sizes(folder)] == [
        (1200, 1200),
        (600, 600),
        (200, 200),
        (1300, 1300),
    ]


def test_a_picture_that_is_saved_whole_keeps_the_renditions_of_now(staff, product) -> None:
    upload(staff, product.pk, picture())
    stale = Image.objects.get()
    work()

    stale.alt = "Old form"
    stale.save()

    assert Image.objects.get().has_renditions is True


def test_pictures_from_before_get_theirs_by_a_command(product, folder, capsys) -> None:
    old = pictures.clean_picture(content=picture())
    images.add_pictures(pictures=[(product.pk, "", old), (product.pk, "", old)])
    PictureWork.objects.all().delete()

    for _ in range(2):
        call_command("make_renditions")

    assert Image.objects.filter(has_renditions=True).count() == 2
    assert len(list(folder.iterdir())) == 8
    told = capsys.readouterr().out
    assert "2 pictures had no renditions. Worked off: 2." in told
    assert "0 pictures had no renditions. Worked off: 0." in told


def test_a_file_that_cannot_be_drawn_any_more_keeps_nobody_waiting(product, folder) -> None:
    old = pictures.clean_picture(content=picture())
    images.add_pictures(pictures=[(product.pk, "", old)])
    next(folder.iterdir()).write_bytes(b"rotten")

    work()

    assert Image.objects.get().has_renditions is False
    assert not PictureWork.objects.exists()


# Bad input


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def bomb() -> bytes:
    """A small file of 25 million pixels."""
    target = BytesIO()
    Pillow.new("1", (5000, 5000)).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        lambda: SVG,
        lambda: b"GIF89a" + bytes(100),
        lambda: picture("GIF"),
        lambda: picture()[:200],
        lambda: b"%PDF-1.7 " + bytes(100),
        bomb,
    ],
    ids=["svg", "broken gif", "gif", "half a picture", "pdf", "bomb"],
)
def test_what_is_no_picture_is_refused_and_nothing_kept(
    staff, product, folder, content: Callable[[], bytes]
) -> None:
    refused = upload(staff, product.pk, content())

    assert (refused.status_code, refused.json()["code"]) == (422, "not_a_picture")
    assert not Image.objects.exists()
    assert not folder.exists()


def test_metadata_and_what_hangs_behind_a_picture_are_not_kept(staff, product, folder) -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "secret camera"
    exif.get_ifd(0x8825)[1] = "N"
    script = b"<script>alert(1)</script>"

    upload(staff, product.pk, picture("JPEG", exif=exif) + script)
    work()

    files = list(folder.iterdir())
    assert len(files) == 4
    for path in files:
        content = path.read_bytes()
        assert not any(word in content for word in (b"secret camera", b"Exif", script))
        with Pillow.open(path) as kept:
            assert not kept.getexif()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"alt": "x" * 201}, "/alt"),
        ({"alt": "a\0b"}, "/alt"),
        ({"position": "-1"}, "/position"),
        ({"status": "published"}, "/status"),
    ],
    ids=["long", "nul", "before the first", "unknown"],
)
def test_a_form_with_a_fault_is_refused(staff, product, fields, pointer) -> None:
    refused = upload(staff, product.pk, picture(), **fields)

    assert refused.status_code == 400
    assert [entry["pointer"] for entry in refused.json()["errors"]] == [pointer]


def test_a_form_without_a_file_and_json_are_refused(staff, product) -> None:
    address = f"{API}/{product.pk}/media"

    assert send(staff, address, {"alt": "x"}).status_code == 400
    assert staff.post(address, {"alt": "x"}).status_code == 415


def test_a_file_may_be_as_large_as_ten_mebibytes_and_no_other_body(staff, product) -> None:
    tail = bytes(10 * 1024 * 1024 - len(picture()))

    assert upload(staff, product.pk, picture() + tail).status_code == 201
    assert upload(staff, product.pk, picture() + tail + bytes(1)).status_code == 422
    assert upload(staff, product.pk, bytes(11 * 1024 * 1024)).status_code == 413
    patched = staff.patch(f"{API}/{product.pk}", {"description": "x" * 1024 * 1024})
    assert patched.status_code == 413


def test_the_pictures_of_a_draft_and_of_nothing_are_not_there(staff, visitor) -> None:
    draft = ProductFactory.create(status="draft", published_at=None)

    assert visitor.get(f"{API}/{draft.pk}/media").status_code == 404
    assert staff.get(f"{API}/{draft.pk}/media").json() == {"results": []}
    assert upload(staff, new_id(), b"").status_code == 404
    assert upload(visitor, draft.pk, picture()).status_code == 401
