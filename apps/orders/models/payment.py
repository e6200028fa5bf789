"""Payments: every call to the provider is a durable row first."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work
from apps.orders.models.guards import counted_refund, known_status, life
from apps.orders.models.order import Order
from apps.orders.models.owed_documents import owes_a_credit_note
from apps.orders.models.payment_fee import asks_for_its_fee
from apps.orders.states import (
    ATTEMPT_FOLLOWS,
    FINISHED_ATTEMPTS,
    REFUND_FOLLOWS,
    STRAY_FOLLOWS,
    UNPAID_ATTEMPTS,
    AttemptStatus,
    RefundStatus,
    StrayStatus,
)

FINISHED = sorted(FINISHED_ATTEMPTS)
UNPAID = sorted(UNPAID_ATTEMPTS)
# `pm_card_visa`, never `4242…`: no card number can get in, not even by mistake (PCI DSS, SAQ A).
METHOD_REFERENCE = r"\A[a-z]+_[A-Za-z0-9_]+\Z"


class PaymentAttempt(Work):
    """One try to take the money of an order. Its id is the idempotency key at the provider."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempts")
    provider = models.CharField(max_length=20)
    method = models.CharField(max_length=255, blank=True, help_text="The provider's reference.")
    amount_minor = models.BigIntegerField()
    refund_promised_minor = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="The sum of its refunds that have not failed; a trigger counts.",
    )
    credited_minor = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="What of it was turned into store credit, and cannot go back any more.",
    )
    currency = models.CharField(max_length=3)
    status = models.CharField(
        max_length=20,
        choices=[(s.value, s.value.replace("_", " ")) for s in AttemptStatus],
        default=AttemptStatus.CREATED,
    )
    reference = models.CharField(max_length=255, blank=True, help_text="The provider's id.")
    next_action = models.JSONField(null=True, blank=True)
    failure_code = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["order"], name="attempt_one_alive_an_order", condition=~Q(status__in=UNPAID)
            ),
            models.UniqueConstraint(
                fields=["provider", "reference"],
                name="attempt_reference_is_unique",
                condition=~Q(reference=""),
            ),
            known_status(AttemptStatus, name="attempt_status_is_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0), name="attempt_amount_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(refund_promised_minor=0)
                | Q(
                    refund_promised_minor__gt=0,
                    refund_promised_minor__lte=F("amount_minor"),
                    status="captured",
                ),
                name="attempt_refunds_are_at_most_what_was_captured",
            ),
            models.CheckConstraint(
                condition=Q(credited_minor=0)
                | Q(
                    credited_minor__gt=0,
                    credited_minor__lte=F("amount_minor") - F("refund_promised_minor"),
                    status="captured",
                ),
                name="attempt_gives_back_what_was_captured_once",
            ),
            models.CheckConstraint(
                condition=Q(method="") | Q(method__regex=METHOD_REFERENCE),
                name="attempt_method_is_a_reference",
            ),
            models.CheckConstraint(
                condition=Q(next_action_at__isnull=False) | Q(status__in=FINISHED),
                name="attempt_open_means_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="attempt_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]
        triggers = [
            life(ATTEMPT_FOLLOWS, name="attempt_status_follows"),
            asks_for_its_fee(name="attempt_captured_asks_for_its_fee"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.status}"

    @property
    def left_minor(self) -> int:
        """What can still go back of a captured payment."""
        return self.amount_minor - self.refund_promised_minor - self.credited_minor


class Refund(Work):
    """Money on its way back. Its id is the idempotency key at the provider."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200, blank=True)
    status = models.CharField(
        max_length=20,
        choices=[(s.value, s.value.replace("_", " ")) for s in RefundStatus],
        default=RefundStatus.CREATED,
    )
    reference = models.CharField(max_length=255, blank=True)
    failure_code = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            known_status(RefundStatus, name="refund_status_is_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="refund_amount_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(next_action_at__isnull=False) | Q(status__in=["succeeded", "failed"]),
                name="refund_open_means_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="refund_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]
        triggers = [
            life(REFUND_FOLLOWS, name="refund_status_follows"),
            owes_a_credit_note(name="refund_gone_back_owes_a_credit_note"),
            counted_refund(
                pgtrigger.Insert | pgtrigger.Delete, name="refund_counts_against_its_payment"
            ),
            counted_refund(
                pgtrigger.Update,
                name="refund_counts_while_it_has_not_failed",
                condition=pgtrigger.Condition(
                    "((OLD.status = 'failed') <> (NEW.status = 'failed')"
                    " OR OLD.amount_minor <> NEW.amount_minor"
                    " OR OLD.attempt_id <> NEW.attempt_id)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} {self.currency} {self.status}"


class StrayPayment(Work):
    """A payment at the provider whose order a restored database has forgotten, on its way back.

    Its id is the idempotency key of the refund, the lost attempt's that of the voiding.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=20)
    reference = models.CharField(max_length=255, help_text="The provider's id.")
    attempt_id = models.UUIDField(help_text="The attempt that the database has forgotten.")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(
        max_length=20,
        choices=[(s.value, s.value) for s in StrayStatus],
        default=StrayStatus.OPEN,
    )
    failure_code = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "reference"], name="stray_payment_is_kept_once"
            ),
            known_status(StrayStatus, name="stray_payment_status_is_known"),
            models.CheckConstraint(
                condition=Q(next_action_at__isnull=False) | ~Q(status="open"),
                name="stray_payment_open_means_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="stray_payment_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]
        triggers = [life(STRAY_FOLLOWS, name="stray_payment_status_follows")]

    def __str__(self) -> str:
        return f"{self.reference} {self.status}"


class WebhookEvent(Work):
    """A provider's message, stored as it came: a hint where to look, never the truth."""

    class Outcome(models.TextChoices):
        WAITING = "waiting"
        APPLIED = "applied"
        IGNORED = "ignored"
        UNMATCHED = "unmatched"

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100)
    reference = models.CharField(max_length=255, blank=True)
    payload = models.JSONField()
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.WAITING)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "event_id"], name="webhook_event_is_stored_once"
            ),
            models.CheckConstraint(
                condition=Q(next_action_at__isnull=False) | ~Q(outcome="waiting"),
                name="webhook_waiting_means_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="webhook_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
