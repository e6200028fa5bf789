"""Rows behind the kernel's promises: events, effects, answers given, acts recorded, mails."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Now
from django.db.models.lookups import Exact

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


class Work(Traced):
    """What every row that waits for a worker has: when it is due and who holds it until when."""

    next_action_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)

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
        default_permissions = ("view",)
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
        default_permissions = ("view",)
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
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["principal", "route", "key"], name="idempotency_key_is_used_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class AuditEntry(models.Model):
    """Who did what to what, when and from where. Written once, sealed once, never changed."""

    class ActorKind(models.TextChoices):
        PERSON = "person", "a person"
        API_KEY = "api_key", "an API key"
        ANONYMOUS = "anonymous", "somebody not logged in"
        SYSTEM = "system", "the store itself"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    actor_id = models.UUIDField(null=True)
    session_id = models.UUIDField(null=True)
    ip = models.GenericIPAddressField(null=True, help_text="Erasable: the chain holds its digest.")
    ip_salt = models.BinaryField(null=True)
    ip_digest = models.BinaryField(null=True)
    action = models.CharField(max_length=80)
    about = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.CharField(max_length=128, blank=True)
    seq = models.PositiveBigIntegerField(null=True, help_text="1, 2, 3 … once it is sealed.")
    hash = models.BinaryField(null=True, help_text="SHA-256 of the one before and of this entry.")

    class Meta:
        verbose_name_plural = "audit log"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["seq"], name="audit_entry_seq_is_unique"),
            models.CheckConstraint(
                condition=models.Q(seq=None, hash=None)
                | (models.Q(seq__gte=1) & models.Q(Exact(Length("hash"), 32))),
                name="audit_entry_is_sealed_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(action__regex=r"^[a-z]+\.[a-z_]+$"),
                name="audit_entry_action_has_a_name",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="audit_entry_open", condition=models.Q(seq=None)),
            models.Index(fields=["about", "id"], name="audit_entry_about"),
            models.Index(fields=["actor_id", "id"], name="audit_entry_actor"),
            models.Index(fields=["action", "id"], name="audit_entry_action"),
        ]
        triggers = [
            pgtrigger.Protect(name="audit_entry_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="audit_log_is_not_emptied",
                operation=pgtrigger.Truncate,
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                func="RAISE EXCEPTION 'The audit log is append-only.';",
            ),
            pgtrigger.Trigger(
                name="audit_entry_says_the_same",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF to_jsonb(NEW) - 'seq' - 'hash' = to_jsonb(OLD) - 'seq' - 'hash'
                        AND OLD.seq IS NULL AND NEW.seq IS NOT NULL
                    THEN
                        RETURN NEW;
                    END IF;
                    IF to_jsonb(NEW) - 'ip' - 'ip_salt' = to_jsonb(OLD) - 'ip' - 'ip_salt'
                        AND NEW.ip IS NULL AND NEW.ip_salt IS NULL
                    THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'The audit log is append-only.';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.about}"


class Mail(Work):
    """A mail that is to be handed to the mail server, or was. What it said is not kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    template = models.CharField(max_length=80)
    to = models.EmailField(max_length=254)
    context = models.JSONField(default=dict, blank=True, help_text="Empty once it is sent.")
    created_at = models.DateTimeField(db_default=Now())
    useful_until = models.DateTimeField(
        null=True, blank=True, help_text="Not sent later than that; empty: always worth sending."
    )
    tries = models.PositiveIntegerField(db_default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=100, blank=True, help_text="What the last try met.")

    class Meta:
        default_permissions = ("view",)
        permissions = [("resend_mail", "Can have a mail sent again that was given up")]
        constraints = [
            models.CheckConstraint(
                condition=Q(next_action_at__isnull=False, sent_at=None, failed_at=None)
                | Q(next_action_at=None, sent_at__isnull=False, failed_at=None)
                | Q(next_action_at=None, sent_at=None, failed_at__isnull=False),
                name="mail_is_open_sent_or_given_up",
            ),
            models.CheckConstraint(
                condition=Q(context={})
                | Q(next_action_at__isnull=False)
                | Q(failed_at__isnull=False, useful_until=None),
                name="mail_keeps_no_secret_once_finished",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="mail_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.pk}"
