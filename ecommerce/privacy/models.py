"""What people have asked for: their data, or to be forgotten."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work


class DataExport(Work):
    """One archive of all that the store keeps of a person, from the wish to its end."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "being made"
        READY = "ready", "ready"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user_id = models.UUIDField()
    asked_by = models.UUIDField(null=True, help_text="Staff who asked for the person.")
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    archive = models.BinaryField(null=True, help_text="A zip of JSON.")
    requested_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["user_id"],
                name="data_export_one_at_a_time",
                condition=Q(status="requested"),
            ),
            models.CheckConstraint(
                condition=Q(
                    status="requested",
                    archive=None,
                    ready_at=None,
                    expires_at=None,
                    next_action_at__isnull=False,
                )
                | Q(
                    status="ready",
                    archive__isnull=False,
                    ready_at__isnull=False,
                    expires_at__isnull=False,
                    next_action_at=None,
                ),
                name="data_export_is_requested_or_ready",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="data_export_due",
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(fields=["user_id", "-requested_at"], name="data_export_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.status}"


class ErasureRequest(Work):
    """A person's wish to be forgotten, from asking to the proof that it was done."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", "can still be taken back"
        CLOSING = "closing", "the account is closed, its last requests end"
        TELLING = "telling", "erased; the person is being told"
        DONE = "done", "erased"
        CANCELLED = "cancelled", "taken back"

    class Obstacle(models.TextChoices):
        OPEN_ORDERS = "open_orders", "orders that are not over"
        OPEN_EVENTS = "open_events", "events that are not delivered"
        STAFF_ACCOUNT = "staff_account", "rights in the back office"

    OPEN = (Status.SCHEDULED, Status.CLOSING, Status.TELLING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user_id = models.UUIDField(null=True, help_text="Empty: a guest, known by the address.")
    email = models.EmailField(max_length=254, blank=True, help_text="Empty once it is done.")
    asked_by = models.UUIDField(null=True, help_text="Staff who asked for the person.")
    status = models.CharField(max_length=10, choices=Status, default=Status.SCHEDULED)
    waits_for = models.CharField(max_length=20, choices=Obstacle, blank=True)
    requested_at = models.DateTimeField(db_default=Now())
    erase_at = models.DateTimeField(help_text="Until then it can be taken back.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("add", "view")
        permissions = (("take_back_erasurerequest", "Can take an erasure request back"),)
        constraints = [
            models.UniqueConstraint(
                fields=["user_id"],
                name="erasure_request_one_an_account",
                condition=Q(status__in=["scheduled", "closing", "telling"]),
            ),
            models.UniqueConstraint(
                fields=["email"],
                name="erasure_request_one_a_guest",
                condition=Q(user_id=None, status__in=["scheduled", "closing", "telling"]),
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["scheduled", "closing", "telling"],
                    next_action_at__isnull=False,
                    finished_at=None,
                )
                | Q(
                    status__in=["done", "cancelled"],
                    email="",
                    waits_for="",
                    next_action_at=None,
                    finished_at__isnull=False,
                ),
                name="erasure_request_is_open_or_finished",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="erasure_request_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id or 'guest'} {self.status}"
