"""Prices beside the variant's own: of lists, of sales, of quantities, and what all of them were."""

from typing import Any

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now

from apps.catalog.models.products import Variant
from apps.catalog.pricing import LARGEST_PRICE, NO_LIST, NOTED, noting
from apps.kernel.ids import new_id

CODE = r"^[a-z0-9]+(-[a-z0-9]+)*\Z"
is_a_code = RegexValidator(CODE, "Use small letters, digits and single hyphens.", code="code")

MOST_PIECES = 1_000_000

# What is due next: the first moment, its own or its list's, after what has been dealt with.
NEXT = """
IF TG_OP = 'UPDATE' THEN
    IF (NEW.valid_from, NEW.valid_until) IS NOT DISTINCT FROM (OLD.valid_from, OLD.valid_until) THEN
        IF NEW.next_change_at IS NOT NULL THEN
            RETURN NEW;
        END IF;
        dealt_with := OLD.next_change_at;
    END IF;
END IF;
IF NEW.price_list_id IS NULL AND NEW.valid_until IS NULL THEN
    NEW.next_change_at := CASE WHEN dealt_with IS NULL THEN NEW.valid_from END;
ELSIF dealt_with IS NULL AND NEW.valid_until <= statement_timestamp() THEN
    NEW.next_change_at := NEW.valid_until;
ELSE
    NEW.next_change_at := (
        SELECT min(moment) FROM (
            VALUES (NEW.valid_from), (NEW.valid_until)
            UNION ALL SELECT valid_from FROM catalog_pricelist WHERE id = NEW.price_list_id
            UNION ALL SELECT valid_until FROM catalog_pricelist WHERE id = NEW.price_list_id
        ) moments (moment) WHERE moment > coalesce(dealt_with, statement_timestamp())
    );
END IF;
RETURN NEW;
"""


class PriceList(models.Model):
    """Prices in one currency, for the customers of a group or for everybody."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40, validators=[is_a_code])
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, help_text="ISO 4217; it never changes.")
    customer_group_id = models.UUIDField(
        null=True, blank=True, help_text="Id of the customer group; empty: for everybody."
    )
    priority = models.SmallIntegerField(
        default=0, help_text="The higher one counts where several lists have a price."
    )
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="price_list_code_is_unique",
                violation_error_message="There is a list with this code.",
            ),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="price_list_code_is_a_code"),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}\Z"), name="price_list_currency_is_a_code"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_from__lt=F("valid_until")),
                name="price_list_begins_before_it_ends",
                violation_error_message="A list begins before it ends.",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="price_list_keeps_its_currency", fields=["currency"]),
        ]

    def __str__(self) -> str:
        return self.code


class Price(models.Model):
    """What a variant costs beside its own price: in a list, in a sale, or from a day on.

    Without a list it is in the variant's currency: with an end it is a sale, without one it becomes
    the variant's own price when it begins. Ends are not included. What has ended is deleted; the
    price history keeps it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="prices")
    price_list = models.ForeignKey(
        PriceList, null=True, blank=True, on_delete=models.PROTECT, related_name="prices"
    )
    min_quantity = models.PositiveIntegerField(
        default=1, help_text="It applies when so many pieces are bought."
    )
    amount_minor = models.BigIntegerField()
    compare_at_minor = models.BigIntegerField(null=True, blank=True)
    valid_from = models.DateTimeField(db_default=Now(), blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    next_change_at = models.DateTimeField(
        null=True, editable=False, help_text="When it begins or ends next. Kept by the database."
    )

    class Meta:
        default_permissions = ("change", "view")
        constraints = [
            ExclusionConstraint(
                name="price_schedules_do_not_overlap",
                expressions=[
                    ("variant", RangeOperators.EQUAL),
                    (
                        Coalesce("price_list", Value(NO_LIST, models.UUIDField())),
                        RangeOperators.EQUAL,
                    ),
                    ("min_quantity", RangeOperators.EQUAL),
                    (
                        Func(
                            F("valid_from"),
                            F("valid_until"),
                            Value("[)"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(price_list__isnull=False) | Q(valid_until__isnull=False),
                violation_error_message="Another price is valid at that time.",
            ),
            models.UniqueConstraint(
                fields=["variant", "valid_from"],
                condition=Q(price_list=None, valid_until=None),
                name="price_becomes_regular_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, amount_minor__lte=LARGEST_PRICE),
                name="price_amount_is_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(compare_at_minor=None)
                | Q(compare_at_minor__gt=F("amount_minor"), compare_at_minor__lte=LARGEST_PRICE),
                name="price_compare_at_is_higher",
                violation_error_message="The price to compare with has to be higher.",
            ),
            models.CheckConstraint(
                condition=Q(min_quantity__gte=1, min_quantity__lte=MOST_PIECES),
                name="price_quantity_is_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(price_list__isnull=False) | Q(min_quantity=1),
                name="price_of_many_is_in_a_list",
                violation_error_message="Prices by quantity belong in a list.",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_from__lt=F("valid_until")),
                name="price_begins_before_it_ends",
                violation_error_message="A price begins before it ends.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_change_at"],
                name="price_due",
                condition=Q(next_change_at__isnull=False),
            ),
        ]
        triggers: list[Any] = [
            pgtrigger.Trigger(
                name="price_knows_what_is_due",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                declare=[("dealt_with", "timestamptz")],
                func=NEXT,
            ),
            pgtrigger.Trigger(
                name="price_is_noted",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.After,
                declare=[
                    *NOTED,
                    ("about", "uuid := coalesce(NEW.variant_id, OLD.variant_id)"),
                ],
                func=f"""
                IF TG_OP = 'UPDATE' AND NEW.next_change_at <= seen_at
                    AND coalesce(OLD.next_change_at > seen_at, true) THEN
                    RETURN NULL;  -- its list was changed: noted when that is dealt with
                END IF;
                IF TG_OP <> 'INSERT' AND OLD.next_change_at <= seen_at THEN
                    seen_at := OLD.next_change_at;
                    noted_at := OLD.next_change_at;
                END IF;
                {noting("about")}
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} from {self.min_quantity}: {self.amount_minor}"


class PriceChange(models.Model):
    """A line of the price history: from that moment on it cost so much; or nothing asked, null.

    Without a list: what everybody pays for one piece in that currency, whatever the reason. With
    one: what the list says. `lowest_minor` is the lowest price of the 30 days before, noted where a
    price is announced as reduced. Only the database writes here.
    """

    id = models.BigAutoField(primary_key=True)
    variant = models.ForeignKey(
        Variant, on_delete=models.PROTECT, related_name="price_changes", db_index=False
    )
    price_list = models.ForeignKey(
        PriceList, null=True, on_delete=models.PROTECT, related_name="changes", db_index=False
    )
    min_quantity = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField(null=True)
    compare_at_minor = models.BigIntegerField(null=True)
    lowest_minor = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["variant", "at", "id"], name="price_change_of_variant"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="price_changes_stay", operation=pgtrigger.Update | pgtrigger.Delete
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} from {self.at}: {self.amount_minor}"
