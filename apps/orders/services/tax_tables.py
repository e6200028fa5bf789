"""Everything that changes tax classes, zones and rates.

Rows that others refer to are locked first, a class before a zone, so that nobody removes what
somebody is about to use.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.catalog import interface as catalog
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, DomainError, Invalid, VersionMismatch
from apps.orders.models import TaxArea, TaxClass, TaxRate, TaxZone
from apps.orders.models.tax import postal_key, region_key
from apps.orders.selectors.taxes import UnknownTaxClass, UnknownTaxRate, UnknownTaxZone

Row = TypeVar("Row", TaxClass, TaxZone, TaxRate)
SHOWN = 10


class TaxClassCodeTaken(Conflict):
    """There is a tax class with this code."""

    code = "tax_class_code_taken"


class TaxClassInUse(Conflict):
    """Rates, zones or products name the tax class."""

    code = "tax_class_in_use"


class TaxClassIsDefault(Conflict):
    """One class is the default one: make another one that instead."""

    code = "tax_class_is_default"


class TaxZoneNameTaken(Conflict):
    """There is a tax zone with this name."""

    code = "tax_zone_name_taken"


class TaxZoneInUse(Conflict):
    """The zone has rates: delete them first."""

    code = "tax_zone_in_use"


class TaxAreaTaken(Conflict):
    """An area is in another zone; the fact `areas` says which ones."""

    code = "tax_area_taken"


class TaxRatesOverlap(Conflict):
    """Another rate of this tax, in this zone and for this class, is valid at that time."""

    code = "tax_rates_overlap"


class TaxRateEndsBeforeItBegins(Invalid):
    """A rate begins before it ends."""

    code = "tax_rate_ends_before_it_begins"


class AreaFields(TypedDict, total=False):
    """A country, narrowed by region or postal code; without a country everywhere else."""

    country: str
    region: str
    postal_prefix: str


class ZoneFields(TypedDict, total=False):
    """What may be said about a zone; `shipping_tax_class` is a code, or None."""

    name: str
    prices_include_tax: bool
    shipping_taxed: bool
    shipping_tax_class: str | None
    areas: Sequence[AreaFields]


class RateFields(TypedDict, total=False):
    """What may be said about a rate later, too; what is left out stays as it is."""

    code: str
    name: str
    ppm: int
    valid_from: datetime | None
    valid_until: datetime | None


@transaction.atomic
def create_class(*, code: str, name: str, is_default: bool = False) -> TaxClass:
    """Add a class, instead of the default one if it is to be that. The first one always is.

    Raises TaxClassCodeTaken.
    """
    default = is_default or not TaxClass.objects.filter(is_default=True).exists()
    if default:
        _lock_classes()
        _leave_default()
    with _refusing("tax_class_code_is_unique", TaxClassCodeTaken("A class has this code.")):
        row = TaxClass.objects.create(code=code, name=name, is_default=default)
    after = {"code": code, "name": name, "is_default": default}
    record("orders.tax_class_added", about=row.pk, after=after)
    return row


@transaction.atomic
def change_class(
    *,
    class_id: UUID,
    name: str | None = None,
    is_default: bool | None = None,
    expected_version: int | None = None,
) -> TaxClass:
    """Rename a class, or make it the default one.

    Raises UnknownTaxClass, VersionMismatch, and TaxClassIsDefault when no class would be that.
    """
    if is_default:
        _lock_classes()
    row = _locked(TaxClass, class_id, UnknownTaxClass("There is no such tax class."))
    _must_be(row, expected_version)
    if row.is_default and is_default is False:
        raise TaxClassIsDefault("Make another class the default one instead.")
    before = {"name": row.name, "is_default": row.is_default}
    if is_default and not row.is_default:
        _leave_default()
        row.is_default = True
    row.name = row.name if name is None else name
    row.version += 1
    row.save()
    after = {"name": row.name, "is_default": row.is_default}
    record("orders.tax_class_changed", about=row.pk, before=before, after=after)
    return row


@transaction.atomic
def remove_class(*, class_id: UUID, expected_version: int | None = None) -> None:
    """Remove a class that nothing names.

    Raises UnknownTaxClass, VersionMismatch, TaxClassIsDefault, TaxClassInUse.
    """
    row = _locked(TaxClass, class_id, UnknownTaxClass("There is no such tax class."))
    _must_be(row, expected_version)
    if row.is_default:
        raise TaxClassIsDefault("Make another class the default one first.")
    if row.rates.exists() or row.zones_of_shipping.exists():
        raise TaxClassInUse("Rates or zones name this class.")
    if products := catalog.tax_classes_in_use().get(row.code):
        raise TaxClassInUse("Products name this class.", products=products)
    record("orders.tax_class_deleted", about=row.pk, before={"code": row.code})
    row.delete()


@transaction.atomic
def create_zone(*, fields: ZoneFields) -> TaxZone:
    """Add a zone. Raises TaxZoneNameTaken, TaxAreaTaken, UnknownTaxClass."""
    row = TaxZone()
    _write_zone(row, fields)
    record("orders.tax_zone_added", about=row.pk, after=_told(fields))
    return row


@transaction.atomic
def change_zone(
    *, zone_id: UUID, fields: ZoneFields, expected_version: int | None = None
) -> TaxZone:
    """Change what `fields` names. Carts cost the new prices at once, orders what they cost.

    Raises UnknownTaxZone, VersionMismatch, and what create_zone raises.
    """
    if fields.get("shipping_tax_class"):
        _class_of(str(fields["shipping_tax_class"]))
    row = _locked(TaxZone, zone_id, UnknownTaxZone("There is no such tax zone."))
    _must_be(row, expected_version)
    before = _zone_facts(row, fields)
    row.version += 1
    _write_zone(row, fields)
    record("orders.tax_zone_changed", about=row.pk, before=before, after=_told(fields))
    return row


@transaction.atomic
def remove_zone(*, zone_id: UUID, expected_version: int | None = None) -> None:
    """Remove a zone without rates, and its areas.

    Raises UnknownTaxZone, VersionMismatch, TaxZoneInUse.
    """
    row = _locked(TaxZone, zone_id, UnknownTaxZone("There is no such tax zone."))
    _must_be(row, expected_version)
    if row.rates.exists():
        raise TaxZoneInUse("The zone has rates: delete them first.")
    before = {"name": row.name, "areas": _areas_of(row)}
    record("orders.tax_zone_deleted", about=row.pk, before=before)
    row.delete()


@transaction.atomic
def create_rate(*, zone_id: UUID, tax_class: str, fields: RateFields) -> TaxRate:
    """Add a rate of a class, named by its code, in a zone.

    Raises UnknownTaxClass, UnknownTaxZone, TaxRatesOverlap, TaxRateEndsBeforeItBegins.
    """
    of_class = _class_of(tax_class)
    zone = TaxZone.objects.select_for_update(no_key=True).filter(pk=zone_id).first()
    if zone is None:
        raise UnknownTaxZone("There is no such tax zone.", zone_id=zone_id)
    row = TaxRate(zone=zone, tax_class=of_class, **fields)
    _write_rate(row)
    after = {"zone_id": zone_id, "tax_class": tax_class, **fields}
    record("orders.tax_rate_added", about=row.pk, after=after)
    return row


@transaction.atomic
def change_rate(
    *, rate_id: UUID, fields: RateFields, expected_version: int | None = None
) -> TaxRate:
    """Change what `fields` names, for carts at once, for orders never.

    Raises UnknownTaxRate, VersionMismatch, TaxRatesOverlap, TaxRateEndsBeforeItBegins.
    """
    row = _locked(TaxRate, rate_id, UnknownTaxRate("There is no such tax rate."))
    _must_be(row, expected_version)
    before = {name: getattr(row, name) for name in fields}
    for name, value in fields.items():
        setattr(row, name, value)
    row.version += 1
    _write_rate(row)
    record("orders.tax_rate_changed", about=row.pk, before=before, after=dict(fields))
    return row


@transaction.atomic
def remove_rate(*, rate_id: UUID, expected_version: int | None = None) -> None:
    """Remove a rate; orders keep what they were taxed. Raises UnknownTaxRate, VersionMismatch."""
    row = _locked(TaxRate, rate_id, UnknownTaxRate("There is no such tax rate."))
    _must_be(row, expected_version)
    names = ("code", "name", "ppm", "valid_from", "valid_until")
    before = {name: getattr(row, name) for name in names}
    record("orders.tax_rate_deleted", about=row.pk, before=before)
    row.delete()


def _locked(model: type[Row], row_id: UUID, missing: DomainError) -> Row:
    row: Row | None = model._default_manager.select_for_update().filter(pk=row_id).first()
    if row is None:
        raise missing
    return row


def _must_be(row: TaxClass | TaxZone | TaxRate, expected_version: int | None) -> None:
    if expected_version not in {None, row.version}:
        raise VersionMismatch("It was changed in the meantime.", version=row.version)


def _class_of(code: str) -> TaxClass:
    """Return a class, kept from being removed until the end."""
    row = TaxClass.objects.select_for_update(no_key=True).filter(code=code).first()
    if row is None:
        raise UnknownTaxClass("There is no such tax class.", tax_class=code)
    return row


def _lock_classes() -> None:
    """Lock all of them, in one order: of two who choose a default the second one has the word."""
    list(TaxClass.objects.select_for_update().order_by("pk").values_list("pk"))


def _leave_default() -> None:
    TaxClass.objects.filter(is_default=True).update(is_default=False, version=F("version") + 1)


def _write_zone(row: TaxZone, fields: ZoneFields) -> None:
    row.name = fields.get("name", row.name)
    row.prices_include_tax = fields.get("prices_include_tax", row.prices_include_tax)
    row.shipping_taxed = fields.get("shipping_taxed", row.shipping_taxed)
    if "shipping_tax_class" in fields:
        code = fields["shipping_tax_class"]
        row.shipping_tax_class = _class_of(code) if code else None
    with _refusing("tax_zone_name_is_unique", TaxZoneNameTaken("A zone has this name.")):
        row.save()
    if "areas" in fields:
        _write_areas(row, fields["areas"])


def _write_areas(zone: TaxZone, areas: Iterable[AreaFields]) -> None:
    """Let these be the zone's areas. What is in another zone stays there, and is told."""
    wanted = {_key(area) for area in areas}
    present = {(a.country, a.region, a.postal_prefix): a.pk for a in zone.areas.all()}
    gone = [pk for key, pk in present.items() if key not in wanted]
    zone.areas.filter(pk__in=gone).delete()
    # In one order, so that two zones that want the same areas do not wait for each other.
    missing = sorted(wanted - present.keys())
    TaxArea.objects.bulk_create(
        (
            TaxArea(zone=zone, country=country, region=region, postal_prefix=prefix)
            for country, region, prefix in missing
        ),
        ignore_conflicts=True,
    )
    now = set(zone.areas.values_list("country", "region", "postal_prefix"))
    if taken := sorted(wanted - now):
        names = [str(TaxArea(country=c, region=r, postal_prefix=p)) for c, r, p in taken[:SHOWN]]
        raise TaxAreaTaken(f"In another zone: {', '.join(names)}.", areas=names)


def _key(area: AreaFields) -> tuple[str, str, str]:
    country = area.get("country", "")
    region = region_key(country, area.get("region", ""))
    return country, region, postal_key(area.get("postal_prefix", ""))


def _write_rate(row: TaxRate) -> None:
    if row.valid_from and row.valid_until and row.valid_from >= row.valid_until:
        raise TaxRateEndsBeforeItBegins("A rate begins before it ends.")
    overlap = TaxRatesOverlap("Another rate of this tax is valid at that time: end it first.")
    with _refusing("tax_rates_do_not_overlap", overlap):
        row.save()


def _areas_of(zone: TaxZone) -> list[str]:
    return sorted(str(area) for area in zone.areas.all())


def _zone_facts(row: TaxZone, fields: ZoneFields) -> dict[str, Any]:
    facts = {
        "name": row.name,
        "prices_include_tax": row.prices_include_tax,
        "shipping_taxed": row.shipping_taxed,
        "shipping_tax_class": row.shipping_tax_class and row.shipping_tax_class.code,
        "areas": _areas_of(row) if "areas" in fields else [],
    }
    return {name: facts[name] for name in fields}


def _told(fields: ZoneFields) -> dict[str, Any]:
    told: dict[str, Any] = dict(fields)
    if "areas" in fields:
        keys = {_key(area) for area in fields["areas"]}
        told["areas"] = sorted(
            str(TaxArea(country=c, region=r, postal_prefix=p)) for c, r, p in keys
        )
    return told


@contextmanager
def _refusing(constraint: str, refusal: DomainError) -> Iterator[None]:
    """Turn the violation of a constraint into the refusal that it means."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        found = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if found != constraint:
            raise
        raise refusal from error
