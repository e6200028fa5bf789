"""What people outside the house write: shown once somebody of the house has read it."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id


class Contribution(models.Model):
    """A text of somebody's. The name is a copy; without a customer it is nobody's any more."""

    class Status(models.TextChoices):
        PENDING = "pending", "to be read"
        APPROVED = "approved", "shown"
        REJECTED = "rejected", "not shown"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer_id = models.UUIDField(null=True, blank=True)
    author_name = models.CharField(max_length=80, blank=True)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.PENDING, db_default="pending"
    )
    reason = models.CharField(
        max_length=200, blank=True, db_default="", help_text="Why it is not shown."
    )
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


def moderated(name: str, *more: models.BaseConstraint) -> list[Any]:
    """Return the constraints that every contribution has, and those of one kind."""
    return [
        models.CheckConstraint(
            condition=Q(status__in=["pending", "approved", "rejected"]),
            name=f"{name}_status_is_known",
        ),
        models.CheckConstraint(
            condition=~Q(status="rejected") | ~Q(reason=""),
            name=f"{name}_is_rejected_with_a_reason",
        ),
        *more,
    ]


def queue(name: str) -> models.Index:
    """Return the index of what waits to be read, oldest first."""
    return models.Index(
        fields=["created_at", "id"], name=f"{name}_waiting", condition=Q(status="pending")
    )
