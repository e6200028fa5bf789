"""Photos that customers add to their reviews, and the work that their files make."""

from typing import Final

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.catalog.models.media import FileWork, files_are_work, product_storage
from apps.catalog.models.reviews import Review
from apps.kernel.ids import new_id

MOST_PHOTOS: Final = 5


class ReviewPhoto(models.Model):
    """A photo in one of the MOST_PHOTOS places of a review, re-encoded before it is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    review = models.ForeignKey(
        Review, on_delete=models.CASCADE, related_name="photos", db_index=False
    )
    file = models.ImageField(
        storage=product_storage, upload_to="reviews", width_field="width", height_field="height"
    )
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    position = models.PositiveSmallIntegerField()
    has_renditions = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["review", "position"], name="review_photo_has_its_own_place"
            ),
            models.CheckConstraint(
                condition=Q(position__lt=MOST_PHOTOS), name="review_has_at_most_5_photos"
            ),
            models.CheckConstraint(
                condition=Q(width__gte=1, height__gte=1), name="review_photo_has_a_size"
            ),
        ]
        triggers = [
            files_are_work("review_photo", table="catalog_photowork"),
            pgtrigger.ReadOnly(name="review_photo_is_never_another", fields=["review", "file"]),
        ]

    def __str__(self) -> str:
        return f"Photo {self.position + 1} of {self.review_id}"


class PhotoWork(FileWork):
    """What is to be done with the file of a review's photo.

    A table of its own: a worker of a release that knows no photos would take their files for those
    of pictures that are gone.
    """

    class Meta:
        verbose_name_plural = "photo work"
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="photo_work_due",
                condition=Q(next_action_at__isnull=False),
            ),
        ]
