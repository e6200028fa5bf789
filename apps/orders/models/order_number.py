"""Numbers without gaps in a year, kept as one whole number, shown as 2026-000123."""

import re

from django.db import models
from django.db.models import Q

# A number is its year times this, and its place in the year. Smaller ones are from before 2026-11.
YEAR = 10**9
SHOWN = re.compile(r"(20[0-9]{2})-([0-9]{6,9})")


class YearlyNumbers(models.Model):
    """How many numbers of a year are given out, and which of them nothing has, on purpose."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField()
    skipped = models.JSONField(
        db_default=models.Value([], output_field=models.JSONField()),
        help_text="From, to and when: numbers that were given out and that a restore has lost.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{shown(self.year * YEAR + self.last)} is the last"


def bounds(name: str) -> list[models.BaseConstraint]:
    """Return the constraints of a table of yearly numbers."""
    return [
        models.CheckConstraint(
            condition=Q(year__gte=2000, year__lte=2099), name=f"{name}_year_has_20xx"
        ),
        models.CheckConstraint(
            condition=Q(last__gte=0, last__lt=YEAR), name=f"{name}_fit_in_nine_digits"
        ),
    ]


class OrderNumbers(YearlyNumbers):
    """The numbers of orders."""

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "order numbers"
        constraints = bounds("order_numbers")


class InvoiceNumbers(YearlyNumbers):
    """The numbers of invoices."""

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "invoice numbers"
        constraints = bounds("invoice_numbers")


class CreditNoteNumbers(YearlyNumbers):
    """The numbers of credit notes."""

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "credit note numbers"
        constraints = bounds("credit_note_numbers")


def shown(number: int) -> str:
    """Return the number as people see it."""
    year, place = divmod(number, YEAR)
    return f"{year}-{place:06}" if year else str(number)


def number_in(text: str) -> int | None:
    """Return the number that people write like this; None when it is none."""
    text = text.strip()
    if match := SHOWN.fullmatch(text):
        return int(match[1]) * YEAR + int(match[2])
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None
