"""Photos that shoppers add to their returns, and the files that go."""

from typing import Final

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work
from apps.orders.models.returns import Return

MOST_PHOTOS: Final = 5

FILE_GOES = """
    INSERT INTO orders_returnphotowork (file, next_action_at, tries)
    VALUES (OLD.file, statement_timestamp(), 0);
    RETURN NULL;
"""


class ReturnPhoto(models.Model):
    """A photo in one of the MOST_PHOTOS places of a return, drawn anew before it is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    parent = models.ForeignKey(
        Return, on_delete=models.PROTECT, related_name="photos", db_index=False
    )
    file = models.CharField(max_length=100, unique=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField()
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["parent", "position"], name="return_photo_has_its_own_place"
            ),
            models.CheckConstraint(
                condition=Q(position__lt=MOST_PHOTOS), name="return_has_at_most_5_photos"
            ),
            models.CheckConstraint(
                condition=Q(file__regex=r"^returns/[0-9a-f-]{36}\.webp$"),
                name="return_photo_file_says_nothing",
            ),
            models.CheckConstraint(
                condition=Q(width__gte=1, height__gte=1), name="return_photo_has_a_size"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="return_photo_is_never_another", fields=["parent", "file"]),
            pgtrigger.Trigger(
                name="return_photo_goes_with_its_file",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                func=FILE_GOES,
            ),
        ]

    def __str__(self) -> str:
        return f"Photo {self.position + 1} of {self.parent_id}"


class ReturnPhotoWork(Work):
    """A file that a worker deletes, unless a photo has it by then."""

    file = models.CharField(max_length=100)

    class Meta:
        verbose_name_plural = "return photo work"
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="return_photo_work_due",
                condition=Q(next_action_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} goes"
