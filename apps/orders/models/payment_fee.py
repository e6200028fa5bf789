"""What a payment provider keeps of a captured payment, or that it has to be asked."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work
from apps.orders.models.owed_documents import NEW_ID


def asks_for_its_fee(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger of payments: one that is captured has its fee asked for, unless told."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
        func=f"""
            IF NEW.status = 'captured' AND NEW.reference <> ''
                AND (TG_OP = 'INSERT' OR OLD.status <> 'captured')
            THEN
                INSERT INTO orders_paymentfee (id, attempt_id, next_action_at, tries)
                VALUES ({NEW_ID}, NEW.id, statement_timestamp() + interval '1 minute', 0)
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN NULL;
        """,  # noqa: S608 - nothing but constants
    )


class PaymentFee(Work):
    """The provider's fee of one payment: asked for until it is told, then for good."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    attempt = models.ForeignKey(
        "PaymentAttempt",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name="payment",
    )
    amount_minor = models.BigIntegerField(null=True, help_text="Empty until the provider tells.")
    currency = models.CharField(
        max_length=3,
        blank=True,
        db_default="",
        help_text="The one that the provider settles in; the payment's may be another one.",
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["attempt"], name="payment_fee_once_a_payment"),
            models.CheckConstraint(
                condition=Q(amount_minor=None, currency="", next_action_at__isnull=False)
                | (Q(amount_minor__isnull=False, next_action_at=None) & ~Q(currency="")),
                name="payment_fee_is_told_or_asked_for",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="payment_fee_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="payment_fee_that_is_told_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__amount_minor__isnull=False),
            )
        ]

    def __str__(self) -> str:
        if self.amount_minor is None:
            return f"fee of {self.attempt_id}, asked for"
        return f"{self.amount_minor} {self.currency}"
