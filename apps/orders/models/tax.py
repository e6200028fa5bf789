"""Taxes: what is taxed alike, where which taxes count, and how high they are from when to when."""

import re
from typing import Any

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value

from apps.kernel.countries import COUNTRIES
from apps.kernel.ids import new_id
from apps.orders.pricing.taxes import MILLION

CODE = r"^[a-z0-9]+(-[a-z0-9]+)*\Z"
is_a_code = RegexValidator(CODE, "Use small letters, digits and single hyphens.", code="code")

# What PostgreSQL and Python take for capitals differs beyond ASCII.
REGION = r"^([^a-z ]([^a-z]*[^a-z ])?)?\Z"
MOST_AREAS = 1_000
LONGEST_PREFIX = 10


class TaxClass(models.Model):
    """Goods that are taxed alike. What names no class, or an unknown one, is of the default one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(
        max_length=40, validators=[is_a_code], help_text="Products name it; it never changes."
    )
    name = models.CharField(max_length=120)
    is_default = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name_plural = "tax classes"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="tax_class_code_is_unique"),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="tax_class_code_is_a_code"),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="tax_class_default_is_one"
            ),
        ]
        triggers: list[Any] = [
            pgtrigger.ReadOnly(name="tax_class_keeps_its_code", fields=["code"]),
            pgtrigger.Trigger(
                name="tax_class_default_is_there",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="""
                IF EXISTS (SELECT FROM orders_taxclass)
                    AND NOT EXISTS (SELECT FROM orders_taxclass WHERE is_default) THEN
                    RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'tax_class_default_is_there',
                        MESSAGE = 'One of the tax classes has to be the default one.';
                END IF;
                RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TaxZone(models.Model):
    """Where the same taxes count, and whether the store's prices are with them there."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    prices_include_tax = models.BooleanField(
        default=False, help_text="Whether the prices are with tax, or it is added to them."
    )
    shipping_taxed = models.BooleanField(default=True)
    shipping_tax_class = models.ForeignKey(
        TaxClass,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="zones_of_shipping",
        help_text="How parcels are taxed; empty: as the default class.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name"], name="tax_zone_name_is_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class TaxArea(models.Model):
    """A place of a zone: a country, narrowed by region or postal code; or everywhere else.

    Regions and postal codes are in the form of `region_key` and `postal_key`.
    """

    id = models.BigAutoField(primary_key=True)
    zone = models.ForeignKey(TaxZone, on_delete=models.CASCADE, related_name="areas")
    country = models.CharField(
        max_length=2,
        blank=True,
        help_text="ISO 3166-1 alpha-2; empty: wherever no other area is.",
    )
    region = models.CharField(
        max_length=100, blank=True, help_text="As addresses write it; empty: the whole country."
    )
    postal_prefix = models.CharField(
        max_length=LONGEST_PREFIX, blank=True, help_text="How its postal codes begin."
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["country", "region", "postal_prefix"],
                name="tax_area_is_in_one_zone",
                violation_error_message="This area is in a zone already.",
            ),
            models.CheckConstraint(
                condition=Q(country__in=["", *sorted(COUNTRIES)]), name="tax_area_country_is_a_code"
            ),
            models.CheckConstraint(
                condition=~Q(country="") | Q(region="", postal_prefix=""),
                name="tax_area_everywhere_is_not_narrowed",
            ),
            models.CheckConstraint(
                condition=Q(region__regex=REGION), name="tax_area_region_is_a_key"
            ),
            models.CheckConstraint(
                condition=Q(postal_prefix__regex=r"^[0-9A-Z]*\Z"),
                name="tax_area_postal_prefix_is_a_key",
            ),
        ]

    def __str__(self) -> str:
        return "/".join((self.country or "*", self.region, self.postal_prefix)).rstrip("/")


class TaxRate(models.Model):
    """How high a tax is for a class of goods in a zone, for a time. The end is not included.

    Several taxes of one class, such as those of a state and of a county, differ by their code.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    zone = models.ForeignKey(TaxZone, on_delete=models.PROTECT, related_name="rates")
    tax_class = models.ForeignKey(TaxClass, on_delete=models.PROTECT, related_name="rates")
    code = models.CharField(
        max_length=40, validators=[is_a_code], help_text="Which tax it is, such as vat or county."
    )
    name = models.CharField(max_length=120, help_text="As invoices show it.")
    ppm = models.PositiveIntegerField(help_text="Parts per million: 8.875 % is 88750.")
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="tax_rates_do_not_overlap",
                expressions=[
                    ("zone", RangeOperators.EQUAL),
                    ("tax_class", RangeOperators.EQUAL),
                    ("code", RangeOperators.EQUAL),
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
                violation_error_message="Another rate of this tax is valid at that time.",
            ),
            models.CheckConstraint(
                condition=Q(ppm__gte=0, ppm__lte=MILLION), name="tax_rate_is_0_to_100_percent"
            ),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="tax_rate_code_is_a_code"),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_from__lt=F("valid_until")),
                name="tax_rate_begins_before_it_ends",
                violation_error_message="A rate begins before it ends.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


def region_key(country: str, region: str) -> str:
    """Return a region as areas write it: in capitals, without the country before it."""
    return " ".join(region.upper().split()).removeprefix(f"{country}-")


def postal_key(postal_code: str) -> str:
    """Return a postal code, or its beginning, as areas write it: capitals and digits alone."""
    return re.sub(r"[^0-9A-Z]", "", postal_code.upper())
