"""Which taxes count for an address at a moment, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.kernel.postal_rules import spellings
from apps.kernel.prepared import prepared
from apps.orders.models.tax import LONGEST_PREFIX, postal_key, region_key
from apps.orders.pricing import Rate, Taxes

# Of all areas that hold the address the narrowest, by the longer beginning of the postal code, then
# by the region, then by the country. No area is in two zones, so there is never more than one.
APPLICABLE = """
SELECT z.id::uuid, z.name::text, z.prices_include_tax::bool, z.shipping_taxed::bool, p.code::text,
    a.country::text, a.region::text, a.postal_prefix::text, c.code::text, c.is_default::bool,
    r.code::text, r.ppm::int, r.name::text
FROM (
    SELECT zone_id, country, region, postal_prefix FROM orders_taxarea
    WHERE country IN (%(country)s::text, '') AND region = ANY(%(regions)s::text[])
        AND postal_prefix = ANY(%(prefixes)s::text[])
    ORDER BY length(postal_prefix) DESC, length(region) DESC, country DESC
    LIMIT 1
) a
JOIN orders_taxzone z ON z.id = a.zone_id
LEFT JOIN orders_taxclass p ON p.id = z.shipping_tax_class_id
CROSS JOIN orders_taxclass c
LEFT JOIN orders_taxrate r ON r.zone_id = z.id AND r.tax_class_id = c.id
    AND (r.valid_from IS NULL OR r.valid_from <= %(at)s::timestamptz)
    AND (r.valid_until IS NULL OR r.valid_until > %(at)s::timestamptz)
ORDER BY c.code, r.code
"""


@dataclass(frozen=True, slots=True)
class Area:
    """The narrowest area that an address is in; what it does not say is empty."""

    country: str
    region: str
    postal_prefix: str


@dataclass(frozen=True, slots=True)
class Applicable:
    """The taxes of an address, and the zone and area that they come from, if there is one.

    `names` are those of the rates, by the code of the class and of the tax.
    """

    taxes: Taxes
    zone_id: UUID | None = None
    area: Area | None = None
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def name_of(self, rate: Rate) -> str:
        """Return what invoices call a rate."""
        classes = (tax_class for tax_class, rates in self.taxes.rates.items() if rate in rates)
        return self.names[next(classes), rate.code]


NOWHERE = Applicable(Taxes())


def applicable(address: Mapping[str, Any] | None, at: datetime) -> Applicable:
    """Return the taxes that count for an address at a moment. One statement, without one none.

    `address` says `country`, `region` and `postal_code` as carts and orders keep them. Where no
    zone is, and as long as there is no address, nothing is taxed.
    """
    if not address:
        return NOWHERE
    country, region = address["country"], address.get("region") or ""
    postal_code = postal_key(address.get("postal_code") or "")[:LONGEST_PREFIX]
    place = {
        "country": country,
        "regions": ["", *{region_key(country, each) for each in spellings(country, region)}],
        "prefixes": [postal_code[:length] for length in range(len(postal_code) + 1)],
        "at": at,
    }
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(APPLICABLE, place)
        rows = cursor.fetchall()
    return _applicable(rows) if rows else NOWHERE


def _applicable(rows: list[Any]) -> Applicable:
    zone_id, zone, included, shipping_taxed, parcel_class, *place = rows[0][:8]
    rates: dict[str, tuple[Rate, ...]] = {}
    names: dict[tuple[str, str], str] = {}
    default = ""
    for tax_class, is_default, code, ppm, name in (row[8:] for row in rows):
        of_class = rates.setdefault(tax_class, ())
        if code is not None:
            rates[tax_class] = (*of_class, Rate(code, ppm))
            names[tax_class, code] = name
        if is_default:
            default = tax_class
    taxes = Taxes(
        zone=zone,
        rates=rates,
        included=included,
        shipping_taxed=shipping_taxed,
        default_class=default,
        shipping_class=parcel_class or default,
    )
    return Applicable(taxes, zone_id, Area(*place), names)
