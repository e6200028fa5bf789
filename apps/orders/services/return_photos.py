"""Photos of returns: what arrived broken, for those who decide. They are private."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.ids import new_id
from apps.kernel.pictures import NotAPicture, redrawn
from apps.kernel.privacy import Document, Person
from apps.kernel.work import claim, due_after_failure
from apps.orders import files
from apps.orders.models import Return, ReturnPhoto, ReturnPhotoWork
from apps.orders.models.return_photos import MOST_PHOTOS
from apps.orders.personal_data import owned_by
from apps.orders.selectors.orders import Holder
from apps.orders.selectors.returns import return_of
from apps.orders.services.return_steps import ReturnStatusConflict, locked_return
from apps.orders.services.returns import ReturnNotAllowed
from apps.orders.states import ReturnStatus

LARGEST_BYTES: Final = 10 * 1024 * 1024
LONGEST_SIDE: Final = 2048
UNFINISHED: Final = timedelta(hours=1)  # longer than an upload may take
ON_ITS_WAY = (ReturnStatus.REQUESTED, ReturnStatus.APPROVED)
FULL: Final = f"A return has at most {MOST_PHOTOS} photos. Remove one first."
ADD = """
INSERT INTO orders_returnphoto (id, parent_id, file, width, height, position)
SELECT %(id)s, %(parent)s, %(file)s, %(width)s, %(height)s, place
FROM generate_series(0, %(last)s) AS place
WHERE NOT EXISTS (
    SELECT FROM orders_returnphoto WHERE parent_id = %(parent)s AND position = place
)
ORDER BY place LIMIT 1
"""

log = logging.getLogger(__name__)


class UnknownReturnPhoto(NotFound):
    """The return has no such photo."""

    code = "unknown_photo"


class TooManyReturnPhotos(Conflict):
    """A return has no room for another photo; remove one first."""

    code = "too_many_photos"


def require_room(*, holder: Holder, return_id: UUID) -> None:
    """Say before a picture is read that it cannot be added. Raises as `add_photo`."""
    found = _open(return_of(holder=holder, return_id=return_id), holder)
    if found.photos.count() >= MOST_PHOTOS:
        raise TooManyReturnPhotos(FULL)


def add_photo(*, holder: Holder, return_id: UUID, content: bytes) -> ReturnPhoto:
    """Add a photo to a return whose goods are not here: drawn anew, within 2048 pixels.

    Raises UnknownReturn, ReturnNotAllowed, ReturnStatusConflict, NotAPicture, TooManyReturnPhotos.
    """
    if len(content) > LARGEST_BYTES:
        raise NotAPicture("A picture has at most 10 MiB.")
    [picture] = redrawn(content=content, within=(LONGEST_SIDE,))
    photo_id = new_id()
    file = f"returns/{photo_id}.webp"
    # If its row does not come, for whatever reason, the file goes.
    ReturnPhotoWork.objects.create(file=file, next_action_at=Now() + UNFINISHED)
    files.keep(file, picture.content)
    with transaction.atomic(), connection.cursor() as cursor:
        found = locked_return(return_of(holder=holder, return_id=return_id).pk)
        _open(found, holder)
        cursor.execute(
            ADD,
            {
                "id": photo_id,
                "parent": found.pk,
                "file": file,
                "width": picture.width,
                "height": picture.height,
                "last": MOST_PHOTOS - 1,
            },
        )
        if not cursor.rowcount:
            raise TooManyReturnPhotos(FULL)
        record("orders.return_photo_added", about=found.pk, after={"photo": photo_id})
    return ReturnPhoto.objects.get(pk=photo_id)


def photo_of(*, holder: Holder, return_id: UUID, photo_id: UUID) -> bytes:
    """Return a photo, for the buyer and for staff who see returns.

    Raises UnknownReturn, ReturnNotAllowed, UnknownReturnPhoto.
    """
    found = return_of(holder=holder, return_id=return_id)
    if not (holder.bought(found.order) or holder.sees_returns):
        raise ReturnNotAllowed("You may see this order, but not the photos of its returns.")
    photo = found.photos.filter(pk=photo_id).first()
    if photo is None:
        raise UnknownReturnPhoto("The return has no such photo.")
    try:
        return files.read(photo.file)
    except FileNotFoundError as error:
        log.error("The file of a photo is lost.", extra={"reference": photo.pk})
        raise UnknownReturnPhoto("The photo is lost.") from error


@transaction.atomic
def remove_photo(*, holder: Holder, return_id: UUID, photo_id: UUID) -> None:
    """Delete a photo while the goods are not here; who decides on returns may do it always.

    Its file goes. Raises UnknownReturn, ReturnNotAllowed, ReturnStatusConflict, UnknownReturnPhoto.
    """
    found = locked_return(return_of(holder=holder, return_id=return_id).pk)
    if not holder.decides_returns:
        _open(found, holder)
    removed, _ = ReturnPhoto.objects.filter(pk=photo_id, parent=found).delete()
    if not removed:
        raise UnknownReturnPhoto("The return has no such photo.")
    record("orders.return_photo_removed", about=found.pk, before={"photo": photo_id})


def advance_file() -> bool:
    """Delete the next file that goes, unless a photo has it. Returns False when none is due."""
    work = claim(ReturnPhotoWork)
    if work is None:
        return False
    try:
        if not ReturnPhoto.objects.filter(file=work.file).exists():
            files.remove(work.file)
        work.delete()
    except Exception:  # the storage is away: the others go on
        log.exception("A file could not be deleted.", extra={"reference": work.pk})
        due_after_failure(work)
    return True


def documents_of(*, person: Person) -> Iterator[Document]:
    """Yield the photos of the person's returns."""
    mine = ReturnPhoto.objects.filter(owned_by(person, "parent__order__")).order_by("pk")
    for file in mine.values_list("file", flat=True):
        with suppress(FileNotFoundError):
            yield Document(file, files.read(file))


def _open(found: Return, holder: Holder) -> Return:
    if not (holder.bought(found.order) or holder.decides_returns):
        raise ReturnNotAllowed("You may see this order, but not add to its returns.")
    if found.status not in ON_ITS_WAY:
        raise ReturnStatusConflict(f"The return is {found.status}.", status=found.status)
    return found
