"""Everything that changes pictures: only what Pillow can read, without what came along."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from django.core.files.base import ContentFile
from PIL import Image as Pillow
from PIL import ImageOps

from apps.catalog.models import Image
from apps.kernel.errors import Invalid
from apps.kernel.ids import new_id

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_BYTES = 10 * 1024 * 1024
LARGEST_PIXELS = 16_000_000


class NotAPicture(Invalid):
    """The file is no JPEG, PNG or WebP picture, or it is too large."""

    code = "not_a_picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An encoded picture of a known format and size."""

    content: bytes
    format: str
    width: int
    height: int

    @property
    def name(self) -> str:
        """A new file name; the uploader's own is never used."""
        return f"{new_id()}.{self.format.lower()}"


def clean_picture(*, content: bytes) -> Picture:
    """Return the picture encoded anew, upright and without metadata.

    The size is read from the header and refused before a pixel is decoded. Raises NotAPicture.
    """
    if len(content) > LARGEST_BYTES:
        raise NotAPicture("A picture has at most 10 MiB.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            Pillow.open(BytesIO(content), formats=FORMATS).verify()
            # After verify() a picture has to be opened again.
            image = Pillow.open(BytesIO(content), formats=FORMATS)
        if image.width * image.height > LARGEST_PIXELS:
            raise NotAPicture("A picture has at most 16 million pixels.")
        kind = image.format or ""
        upright = ImageOps.exif_transpose(image)
        upright.info = {}
        if kind == "JPEG" and upright.mode != "RGB":
            upright = upright.convert("RGB")
        target = BytesIO()
        upright.save(target, kind, quality=85)
    except NotAPicture:
        raise
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise NotAPicture("Only JPEG, PNG and WebP pictures are taken.") from error
    return Picture(
        content=target.getvalue(), format=kind, width=upright.width, height=upright.height
    )


def add_pictures(*, pictures: Sequence[tuple[UUID, str, Picture]]) -> None:
    """Keep pictures, each with its product and what it shows in words."""
    images = []
    for product_id, alt, picture in pictures:
        image = Image(product_id=product_id, alt=alt, width=picture.width, height=picture.height)
        storage = Image._meta.get_field("file").storage
        image.file.name = storage.save(f"products/{picture.name}", ContentFile(picture.content))
        images.append(image)
    Image.objects.bulk_create(images)
