"""Reads of tax classes, zones and rates."""

from typing import Any
from uuid import UUID

from django.db.models import F, JSONField, QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog import interface as catalog
from apps.kernel.errors import NotFound
from apps.orders.models import TaxClass, TaxRate, TaxZone

CLASS_COLUMNS = ("id", "code", "name", "is_default", "version")

AREAS = """coalesce((
    SELECT jsonb_agg(
        jsonb_build_object(
            'country', a.country, 'region', a.region, 'postal_prefix', a.postal_prefix
        ) ORDER BY a.country, a.region, a.postal_prefix
    )
    FROM orders_taxarea a WHERE a.zone_id = orders_taxzone.id
), '[]')"""


class UnknownTaxClass(NotFound):
    """There is no such tax class."""

    code = "unknown_tax_class"


class UnknownTaxZone(NotFound):
    """There is no such tax zone."""

    code = "unknown_tax_zone"


class UnknownTaxRate(NotFound):
    """There is no such tax rate."""

    code = "unknown_tax_rate"


def tax_classes() -> QuerySet[TaxClass, dict[str, Any]]:
    """Return all classes as dictionaries."""
    return TaxClass.objects.values(*CLASS_COLUMNS)


def unknown_tax_classes() -> dict[str, int]:
    """Return the classes that products name and that do not exist, with how many name each."""
    known = set(TaxClass.objects.values_list("code", flat=True))
    named = catalog.tax_classes_in_use()
    return {code: products for code, products in named.items() if code not in known}


def tax_class_of(*, class_id: UUID) -> dict[str, Any]:
    """Return a class as a dictionary. Raises UnknownTaxClass."""
    row = tax_classes().filter(pk=class_id).first()
    if row is None:
        raise UnknownTaxClass("There is no such tax class.")
    return row


def tax_zones() -> QuerySet[TaxZone, dict[str, Any]]:
    """Return all zones with their areas as dictionaries."""
    return TaxZone.objects.values(
        *("id", "name", "prices_include_tax", "shipping_taxed", "version"),
        parcel_class=F("shipping_tax_class__code"),
        places=RawSQL(AREAS, [], JSONField()),  # noqa: S611 - a constant
    )


def tax_zone_of(*, zone_id: UUID) -> dict[str, Any]:
    """Return a zone as a dictionary. Raises UnknownTaxZone."""
    row = tax_zones().filter(pk=zone_id).first()
    if row is None:
        raise UnknownTaxZone("There is no such tax zone.")
    return row


def tax_rates() -> QuerySet[TaxRate, dict[str, Any]]:
    """Return all rates as dictionaries."""
    return TaxRate.objects.values(
        *("id", "zone_id", "code", "name", "ppm", "valid_from", "valid_until", "version"),
        class_code=F("tax_class__code"),
    )


def tax_rate_of(*, rate_id: UUID) -> dict[str, Any]:
    """Return a rate as a dictionary. Raises UnknownTaxRate."""
    row = tax_rates().filter(pk=rate_id).first()
    if row is None:
        raise UnknownTaxRate("There is no such tax rate.")
    return row
