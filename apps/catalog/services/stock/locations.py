"""Everything that changes the places where goods lie."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Mapping
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.catalog.models import StockLocation
from apps.catalog.services.stock.balances import BAND, LOCKED, TOLD, low, tell
from apps.catalog.services.stock.goods import UnknownStockLocation
from apps.kernel.audit import record
from apps.kernel.errors import Conflict

ADDRESS = ("line1", "line2", "city", "region", "postal_code", "country")

# What lies at a location counts while it is active.
ACTIVATE = f"""
WITH wanted AS (
    SELECT variant_id FROM catalog_stock
    WHERE location_id = %(location)s AND (on_hand > 0 OR policy <> 'deny')
), locked AS MATERIALIZED ({LOCKED}
), changed AS (
    UPDATE catalog_stocklocation SET is_active = %(active)s
    WHERE id = %(location)s AND is_active <> %(active)s
    RETURNING id
), crossed AS (
    SELECT b.variant_id, {BAND.format(free="b.free", ceiling="b.ceiling")} AS before,
        {BAND.format(free="b.free_then", ceiling="b.ceiling_then")} AS after
    FROM (
        SELECT l.variant_id, l.free * l.is_active::int AS free,
            l.ceiling * l.is_active::int AS ceiling, l.free * l.then::int AS free_then,
            l.ceiling * l.then::int AS ceiling_then
        FROM (
            SELECT *, CASE location_id WHEN %(location)s THEN %(active)s ELSE is_active END AS then
            FROM locked
        ) l
    ) b
    GROUP BY b.variant_id
)
SELECT EXISTS (SELECT FROM changed), {TOLD}
"""


class StockLocationCodeTaken(Conflict):
    """Another location has this code."""

    code = "stock_location_code_taken"


class MainLocationStays(Conflict):
    """The main location serves the orders and cannot be switched off."""

    code = "main_location_stays"


class LocationFields(TypedDict, total=False):
    """What may be said about a place later, too; what is left out stays as it is.

    The address is whole: `line1`, `line2`, `city`, `region`, `postal_code` and `country`.
    """

    name: str
    priority: int
    is_active: bool
    address: Mapping[str, str] | None


@transaction.atomic
def add_location(*, code: str, fields: LocationFields) -> StockLocation:
    """Add a place where goods lie. Raises StockLocationCodeTaken."""
    location = StockLocation(code=code, **_columns(fields))
    try:
        with transaction.atomic():
            location.save(force_insert=True)
    except IntegrityError as error:
        if "stock_location_code_is_unique" not in str(error):
            raise
        raise StockLocationCodeTaken("Another location has this code.", location=code) from error
    record("catalog.stocklocation_added", about=location.pk, after={"code": code})
    return location


@transaction.atomic
def change_location(*, location_id: UUID, fields: LocationFields) -> StockLocation:
    """Change what `fields` names. What lies at a location that is not active is not for sale.

    Raises UnknownStockLocation, MainLocationStays.
    """
    location = StockLocation.objects.select_for_update(no_key=True).filter(pk=location_id).first()
    if location is None:
        raise UnknownStockLocation("There is no such stock location.")
    if location.code == StockLocation.MAIN and fields.get("is_active") is False:
        raise MainLocationStays("The main location serves the orders.")
    wanted = _columns(fields)
    before = {name: getattr(location, name) for name in wanted}
    if before == wanted:
        return location
    for name, value in wanted.items():
        setattr(location, name, value)
    location.save(update_fields=wanted.keys() - {"is_active"})
    if "is_active" in wanted:
        switch(location_id=location.pk, active=location.is_active)
    record("catalog.stocklocation_changed", about=location.pk, before=before, after=wanted)
    return location


@transaction.atomic
def switch(*, location_id: UUID, active: bool) -> None:
    """Switch a location on or off, and tell whose availability that changes. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(ACTIVATE, {"location": location_id, "active": active, "low": low()})
        changed, told = cursor.fetchone()
    if changed:
        tell(told)


def _columns(fields: LocationFields) -> dict[str, Any]:
    columns: dict[str, Any] = {name: value for name, value in fields.items() if name != "address"}
    if "address" in fields:
        columns |= dict.fromkeys(ADDRESS, "") | dict(fields["address"] or {})
    return columns
