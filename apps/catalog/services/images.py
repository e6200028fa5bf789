"""Everything that changes the pictures of products. A worker draws their renditions."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TypedDict
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce, Now

from apps.catalog.models import Image, PictureWork, Product
from apps.catalog.models.media import RENDITIONS, product_storage, rendition_of
from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.products import UnknownProduct
from apps.kernel.audit import record
from apps.kernel.errors import NotFound
from apps.kernel.events import publish
from apps.kernel.pictures import NotAPicture, Picture, redrawn
from apps.kernel.work import claim, due_after_failure

LARGEST_BYTES = 10 * 1024 * 1024
LEASE = timedelta(minutes=2)  # longer than drawing and storing may take
UNFINISHED = timedelta(hours=1)  # longer than an upload may take to be shown

log = logging.getLogger(__name__)


class UnknownImage(NotFound):
    """The product has no such picture."""

    code = "unknown_image"


class ImageFields(TypedDict, total=False):
    """What may be said about a picture; what is left out stays as it is."""

    alt: str
    position: int


def clean_picture(*, content: bytes) -> Picture:
    """Return the picture encoded anew, upright and without metadata. Raises NotAPicture."""
    if len(content) > LARGEST_BYTES:
        raise NotAPicture("A picture has at most 10 MiB.")
    [picture] = redrawn(content=content)
    return picture


def add_pictures(*, pictures: Sequence[tuple[UUID, str, Picture]]) -> None:
    """Keep pictures, each with its product and what it shows in words."""
    images = []
    for product_id, alt, picture in pictures:
        image = Image(product_id=product_id, alt=alt, width=picture.width, height=picture.height)
        image.file.name = product_storage().save(
            f"products/{picture.name}", ContentFile(picture.content)
        )
        images.append(image)
    Image.objects.bulk_create(images)


def add_image(*, product_id: UUID, picture: Picture, fields: ImageFields) -> UUID:
    """Show one more picture of a product, after all others unless told where. Returns its id.

    Raises UnknownProduct.
    """
    file = f"products/{picture.name}"
    image = Image(
        product_id=product_id,
        file=file,
        alt=fields.get("alt", ""),
        width=picture.width,
        height=picture.height,
    )
    # What is stored and then not shown, for whatever reason, is deleted by a worker.
    PictureWork.objects.create(
        image_id=image.pk, file=file, goes=True, next_action_at=Now() + UNFINISHED
    )
    product_storage().save(file, ContentFile(picture.content))
    with transaction.atomic():
        _change(product_id)
        last = Image.objects.filter(product=product_id).aggregate(
            next=Coalesce(Max("position") + 1, 0)
        )
        image.position = fields.get("position", last["next"])
        Image.objects.bulk_create([image])
        record("catalog.image_added", about=image.pk, after={"product": product_id})
    return image.pk


@transaction.atomic
def change_image(*, product_id: UUID, image_id: UUID, fields: ImageFields) -> None:
    """Change what a picture shows in words, or its place. Raises UnknownProduct, UnknownImage."""
    _change(product_id)
    if not Image.objects.filter(pk=image_id, product=product_id).update(
        **{"position": F("position"), **fields}
    ):
        raise UnknownImage("The product has no such picture.")
    record("catalog.image_changed", about=image_id, after={"fields": sorted(fields)})


@transaction.atomic
def remove_image(*, product_id: UUID, image_id: UUID) -> None:
    """Show a picture no more; a worker deletes its files. Raises UnknownProduct, UnknownImage."""
    _change(product_id)
    removed, _ = Image.objects.filter(pk=image_id, product=product_id).delete()
    if not removed:
        raise UnknownImage("The product has no such picture.")
    record("catalog.image_removed", about=image_id, before={"product": product_id})


def wish_for_renditions() -> int:
    """Let a worker draw whatever has no renditions and no work yet. Returns how many."""
    missing = Image.objects.filter(has_renditions=False).exclude(
        pk__in=PictureWork.objects.filter(goes=False).values("image_id")
    )
    wished = [
        PictureWork(image_id=image_id, file=file, goes=False, next_action_at=Now())
        for image_id, file in missing.values_list("pk", "file")
    ]
    return len(PictureWork.objects.bulk_create(wished, batch_size=1_000))


def advance_picture() -> bool:
    """Do the picture work that is due longest. Returns False when none is due."""
    work = claim(PictureWork, lease=LEASE)
    if work is None:
        return False
    try:
        shown = _images(work).exists()
        if shown and not work.goes:
            shown = _draw(work)
        if not shown:
            for name in (work.file, *_renditions(work.file)):
                product_storage().delete(name)
        PictureWork.objects.filter(pk=work.pk).delete()
    except Exception:  # one odd file must not stop the others
        log.exception("A picture failed.", extra={"reference": work.pk})
        due_after_failure(work)
    return True


def _draw(work: PictureWork) -> bool:
    """Keep the renditions of a file. Returns whether its image shows it still."""
    storage = product_storage()
    try:
        with storage.open(work.file) as original:
            drawn = redrawn(content=original.read(), within=tuple(RENDITIONS.values()))
    except (FileNotFoundError, NotAPicture):
        log.warning("A picture cannot be drawn.", extra={"reference": work.image_id})
        return True
    for name, picture in zip(_renditions(work.file), drawn, strict=True):
        storage.delete(name)  # a worker may have died on the way here
        storage.save(name, ContentFile(picture.content))
    return _show(work)


@transaction.atomic
def _show(work: PictureWork) -> bool:
    # The product first, as everybody who changes a picture does.
    product = (
        Product.objects.select_for_update(no_key=True)
        .filter(pk__in=_images(work).values("product"))
        .first()
    )
    if product is None or not _images(work).update(has_renditions=True):
        return False
    publish(ProductChanged(product_id=product.pk, version=product.version), aggregate_id=product.pk)
    return True


def _images(work: PictureWork) -> QuerySet[Image]:
    return Image.objects.filter(pk=work.image_id, file=work.file)


def _renditions(file: str) -> list[str]:
    return [rendition_of(file, rendition) for rendition in RENDITIONS]


def _change(product_id: UUID) -> None:
    """Lock the product and count its version up: its document shows the pictures."""
    changed = Product.objects.filter(pk=product_id).update(
        version=F("version") + 1, updated_at=Now()
    )
    if not changed:
        raise UnknownProduct("There is no such product.")
    version = Product.objects.values_list("version", flat=True).get(pk=product_id)
    publish(ProductChanged(product_id=product_id, version=version), aggregate_id=product_id)
