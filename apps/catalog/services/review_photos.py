"""Everything that changes the photos of reviews. Their files: `services/pictures.py`."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F

from apps.catalog.models import PhotoWork, Review, ReviewPhoto
from apps.catalog.models.media import product_storage, rendition_of
from apps.catalog.models.review_photos import MOST_PHOTOS
from apps.catalog.services.contributions import locked
from apps.catalog.services.pictures import store
from apps.catalog.services.reviews import UnknownReview, change_review
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.ids import new_id
from apps.kernel.pictures import Picture
from apps.kernel.privacy import Document, Person

FULL: Final = f"A review has at most {MOST_PHOTOS} photos. Remove one first."
ADD = """
INSERT INTO catalog_reviewphoto (id, review_id, file, width, height, position)
SELECT %(id)s, %(review)s, %(file)s, %(width)s, %(height)s, place
FROM generate_series(0, %(last)s) AS place
WHERE NOT EXISTS (
    SELECT FROM catalog_reviewphoto WHERE review_id = %(review)s AND position = place
)
ORDER BY place LIMIT 1
"""


class UnknownPhoto(NotFound):
    """The review has no such photo, or it is not yours."""

    code = "unknown_photo"


class TooManyPhotos(Conflict):
    """A review has no room for another photo; remove one first."""

    code = "too_many_photos"


def require_room(*, review_id: UUID, customer_id: UUID) -> None:
    """Say before a picture is read that it cannot be added. Raises UnknownReview, TooManyPhotos."""
    mine = Review.objects.filter(pk=review_id, customer_id=customer_id)
    there = mine.annotate(there=Count("photos")).values_list("there", flat=True).first()
    if there is None:
        raise UnknownReview("There is no such review, or it is not yours.")
    if there >= MOST_PHOTOS:
        raise TooManyPhotos(FULL)


def add_photo(*, review_id: UUID, customer_id: UUID, picture: Picture) -> UUID:
    """Add a photo to one's own review, which is read again before it is shown again.

    Returns its id. Raises UnknownReview, TooManyPhotos.
    """
    photo_id, file = new_id(), f"reviews/{picture.name}"
    store(picture, file=file, image_id=photo_id, work=PhotoWork)
    with transaction.atomic(), connection.cursor() as cursor:
        # Locks the review: whoever adds at the same moment finds the place taken.
        change_review(
            review_id=review_id, customer_id=customer_id, fields={}, expected_version=None
        )
        cursor.execute(
            ADD,
            {
                "id": photo_id,
                "review": review_id,
                "file": file,
                "width": picture.width,
                "height": picture.height,
                "last": MOST_PHOTOS - 1,
            },
        )
        if not cursor.rowcount:
            raise TooManyPhotos(FULL)
    return photo_id


def documents_of(*, person: Person) -> Iterator[Document]:
    """Yield the photos of the person's reviews, in the largest size that others see."""
    mine = ReviewPhoto.objects.filter(person.by_id("review__customer_id")).order_by("pk")
    for file, is_drawn in mine.values_list("file", "has_renditions"):
        name = rendition_of(file, "large") if is_drawn else file
        with suppress(FileNotFoundError), product_storage().open(name) as picture:
            yield Document(name, picture.read())


@transaction.atomic
def remove_photo(*, review_id: UUID, photo_id: UUID, customer_id: UUID | None) -> None:
    """Delete a photo of one's own review, or as staff (no customer) of any; its files go.

    Raises UnknownReview, UnknownPhoto.
    """
    whose = {} if customer_id is None else {"customer_id": customer_id}
    locked(Review, pk=review_id, expected_version=None, refusal=UnknownReview, **whose)
    removed, _ = ReviewPhoto.objects.filter(pk=photo_id, review=review_id).delete()
    if not removed:
        raise UnknownPhoto("The review has no such photo.")
    Review.objects.filter(pk=review_id).update(version=F("version") + 1)
    if customer_id is None:
        record("catalog.review_photo_removed", about=review_id, before={"photo": photo_id})
