"""Balances that customers pay with: gift cards and store credit, and every movement of them."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.orders.models.guards import append_only
from apps.orders.models.order import Order
from apps.orders.models.owed_documents import owes_a_credit_note_of_value

# A movement is what changes a balance, whoever writes it: their sum is the balance, always.
APPLY = """
    UPDATE orders_storedvalue SET balance_minor = balance_minor + NEW.amount_minor
    WHERE id = NEW.account_id;
    RETURN NULL;
"""


class StoredValue(models.Model):
    """A balance: a gift card's, which belongs to who knows its code, or a customer's store credit.

    Of a card's code only the SHA-256 and the last four characters are kept.
    """

    class Kind(models.TextChoices):
        GIFT_CARD = "gift_card", "gift card"
        STORE_CREDIT = "store_credit", "store credit"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField(
        default=0, editable=False, help_text="The sum of its movements; a trigger counts."
    )
    code_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256, cards only.")
    last_four = models.CharField(max_length=4, blank=True, help_text="Of a card's code.")
    customer_id = models.UUIDField(null=True, blank=True, help_text="Store credit only.")
    expires_at = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, help_text="For staff.")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "gift card or store credit"
        verbose_name_plural = "gift cards and store credit"
        default_permissions = ("view",)
        permissions = [
            ("issue_giftcard", "Can issue gift cards"),
            ("change_giftcard", "Can disable gift cards, extend them and write notes"),
            ("grant_storecredit", "Can grant store credit and take it back"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_minor__gte=0), name="stored_value_is_not_overdrawn"
            ),
            models.CheckConstraint(
                condition=Q(
                    ~Q(code_hash=""), ~Q(last_four=""), kind="gift_card", customer_id__isnull=True
                )
                | Q(
                    kind="store_credit",
                    customer_id__isnull=False,
                    code_hash="",
                    last_four="",
                    expires_at__isnull=True,
                    disabled_at__isnull=True,
                ),
                name="stored_value_has_a_code_or_a_customer",
            ),
            models.UniqueConstraint(
                fields=["code_hash"], condition=~Q(code_hash=""), name="gift_card_code_is_unique"
            ),
            models.UniqueConstraint(
                fields=["customer_id", "currency"],
                condition=Q(customer_id__isnull=False),
                name="store_credit_once_a_currency",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                name="gift_card_by_expiry",
                condition=Q(expires_at__isnull=False, balance_minor__gt=0),
            ),
            models.Index(
                fields=["last_four"], name="gift_card_by_last_four", condition=~Q(last_four="")
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="stored_value_begins_with_nothing",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.balance_minor <> 0"),
            ),
            pgtrigger.Protect(
                name="stored_value_changes_by_movements",
                operation=pgtrigger.UpdateOf("balance_minor"),
                condition=pgtrigger.Condition("pg_trigger_depth() = 0"),
            ),
            pgtrigger.ReadOnly(
                name="stored_value_keeps_what_it_is",
                fields=["kind", "currency", "code_hash", "last_four", "customer_id"],
            ),
            pgtrigger.Protect(name="stored_value_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        if self.kind == self.Kind.STORE_CREDIT:
            return f"Store credit of {self.customer_id} in {self.currency}"
        return f"Gift card …{self.last_four}"


class ValueMovement(models.Model):
    """What was added to a balance, or taken off it, why, and because of what. Never changed."""

    class Kind(models.TextChoices):
        ISSUE = "issue"
        SPEND = "spend"
        GIVE_BACK = "give_back", "given back"
        REFUND = "refund", "refunded to it"
        ADJUST = "adjust"
        EXPIRE = "expire"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(
        StoredValue, on_delete=models.PROTECT, related_name="movements", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind)
    source_id = models.UUIDField(help_text="What made it: an order, a payment, a refund, a grant.")
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, related_name="value_movements"
    )
    amount_minor = models.BigIntegerField(help_text="Negative: it was taken off.")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source_id", "kind"], name="value_movement_happens_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["issue", "spend", "give_back", "refund", "adjust", "expire"]),
                name="value_movement_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="adjust") & ~Q(amount_minor=0)
                | Q(kind__in=["issue", "give_back", "refund"], amount_minor__gt=0)
                | Q(kind__in=["spend", "expire"], amount_minor__lt=0),
                name="value_movement_goes_its_way",
            ),
        ]
        indexes = [models.Index(fields=["account", "id"], name="value_movement_of_account")]
        triggers = [
            pgtrigger.Trigger(
                name="value_movement_changes_its_balance",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                func=APPLY,
            ),
            append_only(name="value_movement_stays"),
            owes_a_credit_note_of_value(name="value_given_back_owes_a_credit_note"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"


class OrderTender(models.Model):
    """What of an order's total a balance pays, and how much of that has gone back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="tenders", db_index=False
    )
    account = models.ForeignKey(StoredValue, on_delete=models.PROTECT, related_name="tenders")
    position = models.PositiveSmallIntegerField()
    amount_minor = models.BigIntegerField()
    returned_minor = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["order", "account"], name="order_tender_once_an_account"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=1), name="order_tender_pays_something"
            ),
            models.CheckConstraint(
                condition=Q(returned_minor__gte=0, returned_minor__lte=F("amount_minor")),
                name="order_tender_returns_at_most_what_it_paid",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="order_tender_is_a_document", exclude=["returned_minor"]),
            pgtrigger.Protect(name="order_tender_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} of {self.account_id}"
