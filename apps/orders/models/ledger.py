"""The money ledger: postings of double entry. Written once, and zero in sum."""

import pgtrigger
from django.db import models

from apps.kernel.ids import new_id
from apps.orders.models.guards import append_only
from apps.orders.models.order import Order

# What the deferred triggers ask before the transaction commits.
IS_IN_BALANCE = """
    IF (SELECT count(*) FROM orders_ledgerentry WHERE posting_id = {posting}) < 2
        OR EXISTS (
            SELECT FROM orders_ledgerentry WHERE posting_id = {posting}
            GROUP BY currency HAVING sum(amount_minor) <> 0
        )
    THEN
        RAISE EXCEPTION 'ledger_posting_is_in_balance: posting %', {posting}
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_is_in_balance';
    END IF;
    RETURN NULL;
"""


def _in_balance(posting: str, *, name: str) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func=IS_IN_BALANCE.format(posting=posting),
    )


class LedgerAccount(models.TextChoices):
    """The chart of accounts. A positive amount is a debit, a negative one a credit."""

    STRIPE = "stripe", "money at Stripe"
    AUTHORISED = "authorised", "set aside for us on cards (memorandum)"
    AUTHORISATIONS = "authorisations", "the other side of it (memorandum)"
    UNAPPLIED = "unapplied", "received, and for nothing that is sold"
    REFUNDS_PAYABLE = "refunds_payable", "promised back, and not yet sent"
    TAX = "tax", "tax to be paid over"
    SALES = "sales", "goods at the prices before discounts"
    DISCOUNTS = "discounts", "discounts granted"
    SHIPPING = "shipping", "shipping charged"
    REFUNDS = "refunds", "given back of goods and shipping"
    GIFT_CARDS = "gift_cards", "owed to those who hold gift cards"
    STORE_CREDIT = "store_credit", "owed to customers as store credit"
    TENDERED = "tendered", "stored value set aside for orders that are not paid yet"
    CARDS_ISSUED = "cards_issued", "gift cards issued by hand"
    GOODWILL = "goodwill", "store credit granted by hand"
    BREAKAGE = "breakage", "gift cards that have expired"
    FEES = "fees", "kept by payment providers for themselves"


class LedgerPosting(models.Model):
    """One movement of money: two entries or more that add up to nothing."""

    class Kind(models.TextChoices):
        AUTHORISATION = "authorisation"
        VOID = "void"
        CAPTURE = "capture"
        REFUND_PROMISE = "refund_promise", "refund promised"
        REFUND = "refund"
        REFUND_FAILURE = "refund_failure", "refund failed"
        SALE = "sale", "sale without a payment"
        STORED_VALUE = "stored_value", "movement of stored value"
        FEE = "fee", "fee of a payment provider"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    source_id = models.UUIDField(help_text="The payment, refund, stray payment, order or movement.")
    at = models.DateTimeField(help_text="When it happened; the id begins with it, too.")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["source_id", "kind"], name="ledger_posting_happens_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        *("authorisation", "void", "capture"),
                        *("refund_promise", "refund", "refund_failure"),
                        *("sale", "stored_value", "fee"),
                    ]
                ),
                name="ledger_posting_kind_is_known",
            ),
        ]
        triggers = [
            append_only(name="ledger_posting_stays"),
            _in_balance("NEW.id", name="ledger_posting_is_in_balance"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id}"


class LedgerEntry(models.Model):
    """One side of a posting."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    posting = models.ForeignKey(
        LedgerPosting, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    account = models.CharField(max_length=20, choices=LedgerAccount)
    order = models.ForeignKey(
        Order,
        on_delete=models.PROTECT,
        null=True,
        related_name="ledger_entries",
        db_index=False,
        help_text="Empty for what is of no order that is known, such as a gift card's issue.",
    )
    amount_minor = models.BigIntegerField(help_text="Positive: debit; negative: credit.")
    currency = models.CharField(max_length=3)

    class Meta:
        verbose_name_plural = "ledger entries"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["posting", "account", "currency"], name="ledger_entry_once_an_account"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    account__in=[
                        *("stripe", "authorised", "authorisations", "unapplied"),
                        *("refunds_payable", "tax", "sales", "discounts", "shipping", "refunds"),
                        *("gift_cards", "store_credit", "tendered"),
                        *("cards_issued", "goodwill", "breakage", "fees"),
                    ]
                ),
                name="ledger_entry_account_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(amount_minor=0), name="ledger_entry_is_not_nothing"
            ),
        ]
        indexes = [
            models.Index(fields=["order", "account"], name="ledger_entry_of_order"),
            models.Index(fields=["account", "id"], name="ledger_entry_of_account"),
        ]
        triggers = [
            append_only(name="ledger_entry_stays"),
            _in_balance("NEW.posting_id", name="ledger_entry_keeps_the_balance"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount_minor} {self.currency}"
