"""Everything that changes avatars. A worker looks at what was uploaded, and deletes what goes."""

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.audit import record
from apps.kernel.errors import NotFound
from apps.kernel.pictures import NotAPicture, redrawn
from apps.kernel.privacy import Document, Person
from apps.kernel.work import claim, due_after_failure
from apps.users.models import Avatar, User, picture_name
from apps.users.uploads import FORM_LIFETIME, Permission, UploadForm, files, upload_form

LARGEST_BYTES = 2 * 1024 * 1024
TYPES = ("image/jpeg", "image/png", "image/webp")
SIDES = {"small": 128, "large": 512}

LEASE = timedelta(minutes=2)  # longer than drawing and storing may take
LAST_UPLOAD_ENDS = timedelta(minutes=5)  # a form that was sent in time may still be on its way
REFUSAL_IS_SHOWN_FOR = timedelta(days=1)

log = logging.getLogger(__name__)
Status = Avatar.Status


class UnknownUpload(NotFound):
    """There is no such upload, it is over, or it is somebody else's."""

    code = "unknown_upload"


@transaction.atomic
def allow_upload(*, user_id: UUID, content_type: str) -> tuple[Avatar, UploadForm]:
    """Let a person upload one picture; asking again gives a new form of the same upload."""
    _lock(user_id)
    over = timezone.now() + FORM_LIFETIME + LAST_UPLOAD_ENDS
    avatar, _ = Avatar.objects.update_or_create(
        user_id=user_id,
        status=Status.AWAITED,
        defaults={"form_until": over, "next_action_at": over},
    )
    return avatar, upload_form(Permission(avatar.original, content_type, LARGEST_BYTES))


@transaction.atomic
def take_upload(*, user_id: UUID, upload_id: UUID) -> Avatar:
    """Have a worker look at what was uploaded; saying so again changes nothing.

    Raises UnknownUpload.
    """
    mine = Avatar.objects.filter(pk=upload_id, user=user_id)
    mine.filter(status=Status.AWAITED).update(status=Status.CHECKING, next_action_at=Now())
    avatar = mine.exclude(status=Status.LEAVING).first()
    if avatar is None:
        raise UnknownUpload("There is no such upload. Ask for a new one.")
    return avatar


@transaction.atomic
def remove_avatar(*, user_id: UUID) -> bool:
    """Show no avatar any more, and delete its files. Returns whether there was anything."""
    _lock(user_id)
    going = _leave(Avatar.objects.filter(user=user_id))
    if going:
        User.objects.filter(pk=user_id).update(avatar_id=None)
        record("users.avatar_removed", about=user_id)
    return bool(going)


def documents_of(*, person: Person) -> tuple[Document, ...]:
    """Return the pictures that the person shows of themselves, read from where they are kept."""
    if person.user_id is None:
        return ()
    shown = Avatar.objects.filter(user=person.user_id, status=Status.PUBLISHED).first()
    found = []
    for name in _names(shown) if shown else ():
        with suppress(FileNotFoundError), files().open(name) as picture:
            found.append(Document(name, picture.read()))
    return tuple(found)


def advance_avatar() -> bool:
    """Take the avatar that is due longest one step on. Returns False when none is due."""
    avatar = claim(Avatar, lease=LEASE)
    if avatar is None:
        return False
    try:
        match avatar.status:
            case Status.CHECKING:
                _look_at(avatar)
            case Status.PUBLISHED:
                files().delete(avatar.original)
                _settle(avatar, next_action_at=_again(avatar))
            case Status.LEAVING:
                for name in (avatar.original, *_names(avatar)):
                    files().delete(name)
                _settle(avatar, next_action_at=_again(avatar))
                Avatar.objects.filter(pk=avatar.pk, next_action_at=None).delete()
            case _:  # nothing was uploaded in time, or a refusal was shown for long enough
                _settle(avatar, status=Status.LEAVING, next_action_at=Now())
    except Exception:  # one odd file must not stop the others
        log.exception("An avatar failed.", extra={"reference": avatar.pk})
        due_after_failure(avatar)
    return True


def _look_at(avatar: Avatar) -> None:
    """Draw the picture anew and show it, or refuse it."""
    storage = files()
    try:
        if storage.size(avatar.original) > LARGEST_BYTES:
            raise NotAPicture("An avatar has at most 2 MiB.")
        with storage.open(avatar.original) as original:
            pictures = redrawn(content=original.read(), sides=tuple(SIDES.values()))
    except (FileNotFoundError, NotAPicture):
        storage.delete(avatar.original)
        _settle(avatar, status=Status.REFUSED, next_action_at=Now() + REFUSAL_IS_SHOWN_FOR)
        return
    for name, picture in zip(_names(avatar), pictures, strict=True):
        storage.save(name, ContentFile(picture.content))
    _show(avatar)


@transaction.atomic
def _show(avatar: Avatar) -> None:
    """Show it in place of the one before, unless it was removed meanwhile."""
    user_id = Avatar.objects.values_list("user", flat=True).get(pk=avatar.pk)
    if user_id:
        _lock(user_id)
        _leave(Avatar.objects.filter(user=user_id, status__in=[Status.PUBLISHED, Status.REFUSED]))
    if _settle(avatar, status=Status.PUBLISHED, next_action_at=Now()) and user_id:
        User.objects.filter(pk=user_id).update(avatar_id=avatar.pk)
        record("users.avatar_changed", about=user_id)


def _settle(avatar: Avatar, **changes: Any) -> bool:
    """Give the lease back; make the changes unless the status is another one meanwhile."""
    row = Avatar.objects.filter(pk=avatar.pk)
    settled = row.filter(status=avatar.status).update(lease_until=None, tries=0, **changes)
    if not settled:
        row.update(lease_until=None)
    return bool(settled)


def _again(avatar: Avatar) -> datetime | None:
    """Return when files may have come back by a form that still held, or None."""
    return avatar.form_until if avatar.form_until > timezone.now() else None


def _leave(avatars: QuerySet[Avatar]) -> int:
    return avatars.exclude(status=Status.LEAVING).update(
        status=Status.LEAVING, next_action_at=Now()
    )


def _names(avatar: Avatar) -> list[str]:
    return [picture_name(avatar.pk, side) for side in SIDES.values()]


def _lock(user_id: UUID) -> None:
    """Lock the person: their avatars change one after the other."""
    User.objects.select_for_update(no_key=True).filter(pk=user_id).values_list("pk").first()
