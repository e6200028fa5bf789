"""Everything that changes the pictures of products. Their files: `services/pictures.py`."""

from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Coalesce, Now

from apps.catalog.models import Image, PictureWork, Product
from apps.catalog.models.media import product_storage
from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.pictures import store
from apps.catalog.services.products import UnknownProduct
from apps.kernel.audit import record
from apps.kernel.errors import NotFound
from apps.kernel.events import publish
from apps.kernel.pictures import Picture


class UnknownImage(NotFound):
    """The product has no such picture."""

    code = "unknown_image"


class ImageFields(TypedDict, total=False):
    """What may be said about a picture; what is left out stays as it is."""

    alt: str
    position: int


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
    store(picture, file=file, image_id=image.pk, work=PictureWork)
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


def _change(product_id: UUID) -> None:
    """Lock the product and count its version up: its document shows the pictures."""
    changed = Product.objects.filter(pk=product_id).update(
        version=F("version") + 1, updated_at=Now()
    )
    if not changed:
        raise UnknownProduct("There is no such product.")
    version = Product.objects.values_list("version", flat=True).get(pk=product_id)
    publish(ProductChanged(product_id=product_id, version=version), aggregate_id=product_id)
