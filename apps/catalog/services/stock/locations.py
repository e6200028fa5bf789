"""Everything that changes the places where goods lie."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.catalog.models import StockLocation
from apps.catalog.services.stock.balances import BAND, LOCKED, TOLD, low, tell
from apps.catalog.services.stock.goods import UnknownStockLocation
from apps.kernel.audit import record
from apps.kernel.errors import Conflict

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


@transaction.atomic
def add_location(*, code: str, name: str, priority: int) -> StockLocation:
    """Add a place where goods lie. Raises StockLocationCodeTaken."""
    location = StockLocation(code=code, name=name, priority=priority)
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
def change_location(
    *,
    location_id: UUID,
    name: str | None = None,
    priority: int | None = None,
    is_active: bool | None = None,
) -> StockLocation:
    """Change what is given. What lies at a location that is not active is not for sale.

    Raises UnknownStockLocation, MainLocationStays.
    """
    location = StockLocation.objects.select_for_update(no_key=True).filter(pk=location_id).first()
    if location is None:
        raise UnknownStockLocation("There is no such stock location.")
    if location.code == StockLocation.MAIN and is_active is False:
        raise MainLocationStays("The main location serves the orders.")
    given = {"name": name, "priority": priority, "is_active": is_active}
    wanted = {key: value for key, value in given.items() if value is not None}
    before = {key: getattr(location, key) for key in wanted}
    if before == wanted:
        return location
    location.name = wanted.get("name", location.name)
    location.priority = wanted.get("priority", location.priority)
    location.save(update_fields=["name", "priority"])
    if is_active is not None:
        switch(location_id=location.pk, active=is_active)
        location.is_active = is_active
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
