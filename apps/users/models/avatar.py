"""Pictures that people give themselves."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work
from apps.users.models.person import User


class Avatar(Work):
    """One picture from the permission to upload it until its files are deleted.

    Its files are named after its id. `User.avatar_id` names the one that is shown.
    """

    class Status(models.TextChoices):
        AWAITED = "awaited", "may be uploaded"
        CHECKING = "checking", "uploaded, to be looked at"
        PUBLISHED = "published", "shown"
        REFUSED = "refused", "no picture that is taken"
        LEAVING = "leaving", "files to be deleted"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="avatars", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.AWAITED)
    created_at = models.DateTimeField(db_default=Now())
    form_until = models.DateTimeField(help_text="Until then a form may still upload its file.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(status="awaited"), name="avatar_one_is_awaited"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(status="published"), name="avatar_one_is_shown"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["awaited", "checking", "published", "refused", "leaving"]),
                name="avatar_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(status="leaving"),
                name="avatar_of_nobody_is_leaving",
            ),
        ]
        indexes = [
            models.Index(fields=["user"], name="avatar_of_person"),
            models.Index(
                fields=["next_action_at"],
                name="avatar_due",
                condition=Q(next_action_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.status}"

    @property
    def original(self) -> str:
        """The name of the file that the person has uploaded."""
        return f"uploads/{self.pk}"


def picture_name(avatar_id: object, side: int) -> str:
    """Return the name of the file of an avatar in this size."""
    return f"avatars/{avatar_id}-{side}.webp"
