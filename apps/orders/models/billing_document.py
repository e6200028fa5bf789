"""Invoices and credit notes: what was sold, and what of it was taken back, on paper."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work
from apps.kernel.money import Money
from apps.orders.models.guards import life
from apps.orders.models.order import Order
from apps.orders.models.order_number import shown
from apps.orders.models.payment import Refund
from apps.orders.models.stored_value import ValueMovement
from apps.orders.states import DOCUMENT_FOLLOWS, DocumentStatus

PREFIX = {"invoice": "INV", "credit_note": "CN"}


class BillingDocument(Work):
    """An invoice of a paid order, or a credit note of what has gone back of it: money, by a refund,
    or what a balance has got, by a movement.

    First it is due, then it has its number and says for good what it says, then its PDF is stored.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", "invoice"
        CREDIT_NOTE = "credit_note", "credit note"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=12, choices=Kind)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="billing_documents")
    refund = models.ForeignKey(
        Refund, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    movement = models.ForeignKey(
        ValueMovement,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    status = models.CharField(
        max_length=10,
        choices=[(s.value, s.value) for s in DocumentStatus],
        default=DocumentStatus.DUE,
    )
    number = models.BigIntegerField(null=True, editable=False)
    issued_at = models.DateTimeField(null=True, blank=True)
    content = models.JSONField(null=True, help_text="All that it says; amounts in minor units.")
    total_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, db_default="")
    sha256 = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Of the PDF that was stored last."
    )
    keep_until = models.DateField(null=True, help_text="The last day; then its words are deleted.")
    gave_up_at = models.DateTimeField(
        null=True, blank=True, help_text="It could not be written; staff let it be tried again."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        permissions = [("retry_billingdocument", "Can let documents be written again")]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(kind="invoice"),
                name="billing_document_one_invoice_an_order",
            ),
            models.UniqueConstraint(
                fields=["refund"], name="billing_document_one_credit_note_a_refund"
            ),
            models.UniqueConstraint(
                fields=["movement"],
                condition=Q(movement__isnull=False),
                name="billing_document_one_credit_note_a_movement",
            ),
            models.UniqueConstraint(
                fields=["kind", "number"], name="billing_document_number_is_given_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", refund=None, movement=None)
                | Q(kind="credit_note", refund__isnull=False, movement=None)
                | Q(kind="credit_note", refund=None, movement__isnull=False),
                name="billing_document_of_what_went_back_is_a_credit_note",
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice")
                | Q(content__isnull=True)
                | Q(content__has_key="invoice"),
                name="billing_document_credit_note_names_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="due",
                    number=None,
                    issued_at=None,
                    content__isnull=True,
                    total_minor=None,
                )
                | Q(
                    status__in=["issued", "stored"],
                    number__isnull=False,
                    issued_at__isnull=False,
                    content__isnull=False,
                    total_minor__gte=0,
                    keep_until__isnull=False,
                )
                | Q(status="forgotten", number__isnull=False, content__isnull=True),
                name="billing_document_speaks_from_its_number_on",
            ),
            models.CheckConstraint(
                condition=~Q(status="stored") | Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="billing_document_stored_has_a_digest",
            ),
            models.CheckConstraint(
                condition=Q(gave_up_at=None, next_action_at__isnull=False)
                | Q(gave_up_at=None, status__in=["stored", "forgotten"])
                | Q(gave_up_at__isnull=False, next_action_at=None, status__in=["due", "issued"]),
                name="billing_document_open_is_due_or_given_up",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="billing_document_due",
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(
                fields=["gave_up_at"],
                name="billing_document_given_up",
                condition=Q(gave_up_at__isnull=False),
            ),
            models.Index(fields=["issued_at"], name="billing_document_by_time"),
            models.Index(
                fields=["keep_until"],
                name="billing_document_kept",
                condition=Q(status="stored"),
            ),
        ]
        triggers = [
            life(DOCUMENT_FOLLOWS, name="billing_document_status_follows"),
            pgtrigger.Protect(
                name="billing_document_with_a_number_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status__df="due"),
            ),
            pgtrigger.Trigger(
                name="billing_document_says_the_same",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__df="due"),
                func="""
                    IF (NEW.kind, NEW.order_id, NEW.refund_id, NEW.movement_id, NEW.number,
                        NEW.issued_at, NEW.total_minor, NEW.currency) IS DISTINCT FROM
                        (OLD.kind, OLD.order_id, OLD.refund_id, OLD.movement_id, OLD.number,
                        OLD.issued_at, OLD.total_minor, OLD.currency)
                        OR (NEW.content IS DISTINCT FROM OLD.content AND NEW.status <> 'forgotten')
                    THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation',
                            CONSTRAINT = 'billing_document_says_the_same',
                            MESSAGE = 'An invoice or credit note is never changed.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.shown_number or f"{self.get_kind_display()} of {self.order_id}, due"

    @property
    def shown_number(self) -> str:
        """The number as people see it; empty as long as it has none."""
        return f"{PREFIX[self.kind]}-{shown(self.number)}" if self.number else ""

    @property
    def total(self) -> Money:
        """What it amounts to. Only once it is issued."""
        return Money(self.total_minor or 0, self.currency)

    @property
    def file(self) -> str:
        """Where its PDF lies."""
        return f"{self.kind.replace('_', '-')}s/{self.pk}.pdf"
