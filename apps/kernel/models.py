"""Rows behind the kernel's promises: events to deliver, events consumed, answers given."""

from django.db import models
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.trail import request_id, traceparent


class Traced(models.Model):
    """A row that leads to work in another process remembers the request it began with."""

    request_id = models.CharField(
        max_length=128, blank=True, editable=False, default=request_id, db_default=""
    )
    traceparent = models.CharField(
        max_length=55, blank=True, editable=False, default=traceparent, db_default=""
    )

    class Meta:
        abstract = True


class OutboxEvent(Traced):
    """A fact of the past, stored with the change it describes and delivered at least once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    aggregate_id = models.UUIDField(help_text="What the event is about, for instance an order.")
    seq = models.PositiveIntegerField(help_text="1, 2, 3 … for each aggregate, without a gap.")
    name = models.CharField(max_length=80)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    claimed_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(db_default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate_id", "seq"], name="outbox_event_seq_is_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(seq__gte=1), name="outbox_event_seq_starts_at_one"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="outbox_event_open", condition=models.Q(done_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.aggregate_id} #{self.seq}"


class InboxEntry(models.Model):
    """Proof that one consumer has had its effect of one event."""

    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="consumptions")
    consumer = models.CharField(max_length=80)
    consumed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "inbox entries"
        constraints = [
            models.UniqueConstraint(
                fields=["event", "consumer"], name="inbox_entry_effect_happens_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.consumer} of {self.event_id}"


class IdempotencyRecord(models.Model):
    """The answer that was given under a key, kept so that a repetition gets the same one."""

    principal = models.CharField(max_length=80, help_text="Whose key it is: a user or a token.")
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of path and body.")
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["principal", "route", "key"], name="idempotency_key_is_used_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
