"""Files of pictures: stored before a row shows them, drawn smaller and deleted by a worker."""

import logging
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.catalog.models import Image, PhotoWork, PictureWork, Product, ReviewPhoto
from apps.catalog.models.media import RENDITIONS, FileWork, product_storage, rendition_of
from apps.catalog.services.changes import ProductChanged
from apps.kernel.events import publish
from apps.kernel.pictures import NotAPicture, Picture, redrawn
from apps.kernel.work import claim, due_after_failure

LARGEST_BYTES = 10 * 1024 * 1024
LEASE = timedelta(minutes=2)  # longer than drawing and storing may take
UNFINISHED = timedelta(hours=1)  # longer than an upload may take to be shown
SHOWN_BY: Final[dict[type[FileWork], type[Image | ReviewPhoto]]] = {
    PictureWork: Image,
    PhotoWork: ReviewPhoto,
}

log = logging.getLogger(__name__)


def clean_picture(*, content: bytes) -> Picture:
    """Return the picture encoded anew, upright and without metadata. Raises NotAPicture."""
    if len(content) > LARGEST_BYTES:
        raise NotAPicture("A picture has at most 10 MiB.")
    [picture] = redrawn(content=content)
    return picture


def store(picture: Picture, *, file: str, image_id: UUID, work: type[FileWork]) -> None:
    """Keep a file whose row comes next. If it does not come, for whatever reason, the file goes."""
    work._default_manager.create(
        image_id=image_id, file=file, goes=True, next_action_at=Now() + UNFINISHED
    )
    product_storage().save(file, ContentFile(picture.content))


def wish_for_renditions() -> int:
    """Let a worker draw whatever has no renditions and no work yet. Returns how many."""
    wished = 0
    for kind, pictures in SHOWN_BY.items():
        works = kind._default_manager
        missing = pictures._default_manager.filter(has_renditions=False).exclude(
            pk__in=works.filter(goes=False).values("image_id")
        )
        rows = [
            kind(image_id=image_id, file=file, goes=False, next_action_at=Now())
            for image_id, file in missing.values_list("pk", "file")
        ]
        wished += len(works.bulk_create(rows, batch_size=1_000))
    return wished


def advance_picture() -> bool:
    """Do the picture work that is due longest. Returns False when none is due."""
    work = next((due for kind in SHOWN_BY if (due := claim(kind, lease=LEASE))), None)
    if work is None:
        return False
    try:
        shown = _rows(work).exists()
        if shown and not work.goes:
            shown = _draw(work)
        if not shown:
            for name in (work.file, *_renditions(work.file)):
                product_storage().delete(name)
        work.delete()
    except Exception:  # one odd file must not stop the others
        log.exception("A picture failed.", extra={"reference": work.pk})
        due_after_failure(work)
    return True


def _draw(work: FileWork) -> bool:
    """Keep the renditions of a file. Returns whether a row shows it still."""
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
def _show(work: FileWork) -> bool:
    if isinstance(work, PhotoWork):
        return bool(_rows(work).update(has_renditions=True))
    # The product first, as everybody who changes a picture does.
    product = (
        Product.objects.select_for_update(no_key=True)
        .filter(pk__in=_rows(work).values("product"))
        .first()
    )
    if product is None or not _rows(work).update(has_renditions=True):
        return False
    publish(ProductChanged(product_id=product.pk, version=product.version), aggregate_id=product.pk)
    return True


def _rows(work: FileWork) -> QuerySet[Any]:
    return SHOWN_BY[type(work)]._default_manager.filter(pk=work.image_id, file=work.file)


def _renditions(file: str) -> list[str]:
    return [rendition_of(file, rendition) for rendition in RENDITIONS]
