"""Change sets: what a change of an order would come to, and whether it was made."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.orders.models.guards import known_status, life, unchanged
from apps.orders.models.order import Order
from apps.orders.states import CHANGE_FOLLOWS, ChangeKind, ChangeStatus


class ChangeSet(models.Model):
    """One change of an order as somebody has seen it beforehand. What it says does not change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=20, choices=[(k.value, k.value) for k in ChangeKind])
    status = models.CharField(
        max_length=20,
        choices=[(s.value, s.value) for s in ChangeStatus],
        default=ChangeStatus.PROPOSED,
    )
    order_version = models.PositiveIntegerField()
    body = models.JSONField(help_text="What was asked for.")
    preview = models.JSONField(help_text="What it comes to, in minor units.")
    actor_id = models.UUIDField(null=True, blank=True, help_text="Empty: a guest.")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.JSONField(default=dict, db_default={}, help_text="Ids of what was made.")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            known_status(ChangeStatus, name="change_set_status_is_known"),
            models.CheckConstraint(
                condition=Q(kind__in=[str(k) for k in ChangeKind]), name="change_set_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="confirmed", confirmed_at__isnull=False)
                | Q(status="proposed", confirmed_at=None),
                name="change_set_confirmed_has_its_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="change_set_by_expiry",
                condition=Q(status="proposed"),
            )
        ]
        triggers = [
            life(CHANGE_FOLLOWS, name="change_set_status_follows"),
            unchanged(
                name="change_set_is_a_document",
                apart_from=["status", "confirmed_at", "outcome"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
