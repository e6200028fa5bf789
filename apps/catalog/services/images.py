"""Everything that changes the pictures of products."""

from collections.abc import Sequence
from uuid import UUID

from django.core.files.base import ContentFile

from apps.catalog.models import Image
from apps.kernel.pictures import NotAPicture, Picture, redrawn

LARGEST_BYTES = 10 * 1024 * 1024


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
        storage = Image._meta.get_field("file").storage
        image.file.name = storage.save(f"products/{picture.name}", ContentFile(picture.content))
        images.append(image)
    Image.objects.bulk_create(images)
