"""Promotions: what takes something off, by which code, within which limits, and where it did."""

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import Exact

from apps.kernel.ids import new_id
from apps.orders.models.guards import known_status, life
from apps.orders.models.order import Order
from apps.orders.states import PROMOTION_FOLLOWS, PromotionStatus

COUPON_CODE = r"^[A-Z0-9]+([-_][A-Z0-9]+)*\Z"
LONGEST_CODE = 40
is_a_coupon_code = RegexValidator(
    COUPON_CODE, "Use letters, digits and single hyphens or underscores.", code="coupon_code"
)
LARGEST_PRIORITY = 1000


def _is(kind: str, column: str) -> Q:
    found = Func(F(column), function="jsonb_typeof", output_field=models.TextField())
    return Q(Exact(found, Value(kind)))


class Promotion(models.Model):
    """A rule that takes something off, as the pricing kernel knows it.

    `uses` and `budget_used_minor` are counted only while a limit or a budget is set: orders do not
    queue up at a promotion that everybody may use. Setting the first limit counts what there is.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, help_text="Shoppers see it.")
    status = models.CharField(
        max_length=10,
        choices=[(s.value, s.value) for s in PromotionStatus],
        default=PromotionStatus.DRAFT,
    )
    benefit = models.JSONField()
    goods = models.JSONField(default=dict, help_text="Empty: all goods.")
    needs_code = models.BooleanField(default=False)
    priority = models.SmallIntegerField(default=0)
    exclusive = models.BooleanField(default=False)
    stacking_group = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3, blank=True, help_text="Empty: any; says no amount.")
    min_subtotal_minor = models.BigIntegerField(default=0)
    min_quantity = models.PositiveIntegerField(default=0)
    customer_group_ids = models.JSONField(default=list)
    first_order_only = models.BooleanField(default=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    max_discount_minor = models.BigIntegerField(null=True, blank=True)
    budget_minor = models.BigIntegerField(null=True, blank=True)
    uses_limit = models.PositiveIntegerField(null=True, blank=True)
    uses_per_customer = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0, editable=False)
    budget_used_minor = models.BigIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            known_status(PromotionStatus, name="promotion_status_is_known"),
            models.CheckConstraint(
                condition=_is("object", "benefit")
                & _is("object", "goods")
                & _is("array", "customer_group_ids"),
                name="promotion_documents_have_their_form",
            ),
            models.CheckConstraint(
                condition=Q(currency="") | Q(currency__regex=r"^[A-Z]{3}\Z"),
                name="promotion_currency_is_a_code",
            ),
            models.CheckConstraint(
                condition=~Q(currency="")
                | Q(min_subtotal_minor=0, max_discount_minor=None, budget_minor=None),
                name="promotion_amounts_have_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="promotion_begins_before_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(min_subtotal_minor__gte=0)
                & (Q(max_discount_minor=None) | Q(max_discount_minor__gte=1))
                & (Q(budget_minor=None) | Q(budget_minor__gte=1))
                & (Q(uses_limit=None) | Q(uses_limit__gte=1))
                & (Q(uses_per_customer=None) | Q(uses_per_customer__gte=1)),
                name="promotion_limits_are_from_one_on",
            ),
            models.CheckConstraint(
                condition=Q(uses_limit=None) | Q(uses__lte=F("uses_limit")),
                name="promotion_is_used_within_its_limit",
            ),
            models.CheckConstraint(
                condition=Q(budget_used_minor__gte=0)
                & (Q(budget_minor=None) | Q(budget_used_minor__lte=F("budget_minor"))),
                name="promotion_spends_within_its_budget",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="promotion_that_counts", condition=Q(status="active")),
        ]
        triggers = [
            life(PROMOTION_FOLLOWS, name="promotion_status_follows"),
            pgtrigger.ReadOnly(name="promotion_keeps_its_currency", fields=["currency"]),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def frees_the_parcel(self) -> bool:
        """Whether it takes off the price of the parcel, and not of the goods."""
        return self.benefit.get("kind") == "free_shipping"

    @property
    def is_counted(self) -> bool:
        """Whether its uses are counted: there is something that they are held against."""
        return self.uses_limit is not None or self.budget_minor is not None


class CouponBatch(models.Model):
    """Codes that were made together, with the limits of each of them. Never changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    promotion = models.ForeignKey(Promotion, on_delete=models.CASCADE, related_name="batches")
    count = models.PositiveIntegerField()
    uses_limit = models.PositiveIntegerField(null=True, help_text="Of each code; null: none.")
    uses_per_customer = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("add", "view")
        verbose_name_plural = "coupon batches"
        constraints = [
            models.CheckConstraint(
                condition=(Q(uses_limit=None) | Q(uses_limit__gte=1))
                & (Q(uses_per_customer=None) | Q(uses_per_customer__gte=1)),
                name="coupon_batch_limits_are_from_one_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} codes of {self.created_at:%Y-%m-%d}"


class Coupon(models.Model):
    """A code that lets a promotion in. Its limit is its batch's, and never changes.

    `uses` are counted where there is a limit.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    promotion = models.ForeignKey(
        Promotion, on_delete=models.CASCADE, related_name="coupons", db_index=False
    )
    batch = models.ForeignKey(CouponBatch, on_delete=models.CASCADE, related_name="coupons")
    code = models.CharField(max_length=LONGEST_CODE, validators=[is_a_coupon_code])
    uses_limit = models.PositiveIntegerField(null=True)
    uses_per_customer = models.PositiveIntegerField(null=True)
    uses = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            # In capitals, so that it is unique in any case.
            models.UniqueConstraint(fields=["code"], name="coupon_code_is_unique"),
            models.CheckConstraint(
                condition=Q(code__regex=COUPON_CODE), name="coupon_code_is_a_code"
            ),
            models.CheckConstraint(
                condition=Q(uses_limit=None) | Q(uses__lte=F("uses_limit")),
                name="coupon_is_used_within_its_limit",
            ),
        ]
        indexes = [models.Index(fields=["promotion", "id"], name="coupon_of_promotion")]
        triggers = [
            pgtrigger.ReadOnly(
                name="coupon_keeps_what_it_says",
                fields=["promotion", "batch", "code", "uses_limit", "uses_per_customer"],
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CustomerUses(models.Model):
    """How often a customer has used a promotion, or one of its codes: orders that count.

    `most` is the limit that held at the last use.
    """

    id = models.BigAutoField(primary_key=True)
    promotion = models.ForeignKey(Promotion, on_delete=models.CASCADE, related_name="customers")
    coupon = models.ForeignKey(
        Coupon, null=True, on_delete=models.CASCADE, related_name="customers", db_index=False
    )
    customer_id = models.UUIDField(db_index=True)
    uses = models.PositiveIntegerField()
    most = models.PositiveIntegerField(null=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "customer uses"
        constraints = [
            models.UniqueConstraint(
                fields=["promotion", "coupon", "customer_id"],
                name="customer_uses_are_counted_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(most=None) | Q(uses__lte=F("most")),
                name="customer_uses_stay_within_the_limit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id}: {self.uses} × {self.customer_id}"


class OrderPromotion(models.Model):
    """A promotion that has taken something off an order. Code and name are copies, on purpose.

    `given_back_at` is set once the order ended unpaid: it counts as a use no more. A promotion may
    be of another kind by now; `off_parcel` says whether it has taken off the parcel's price. Empty
    in rows of before: then it has done what it does now.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, related_name="promotions", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, related_name="orders")
    coupon = models.ForeignKey(
        Coupon, null=True, on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    code = models.CharField(max_length=LONGEST_CODE, blank=True)
    name = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField()
    off_parcel = models.BooleanField(null=True)
    given_back_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["order", "promotion"], name="order_promotion_applies_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=1), name="order_promotion_takes_something_off"
            ),
        ]
        indexes = [
            models.Index(
                fields=["coupon"], name="order_promotion_by_coupon", condition=~Q(coupon=None)
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="order_promotion_is_a_document", exclude=["given_back_at"]),
            pgtrigger.Protect(name="order_promotion_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.amount_minor}"
