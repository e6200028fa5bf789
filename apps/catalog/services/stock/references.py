"""What people write on papers of the warehouse, SKUs and codes of locations, as ids."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection

from apps.catalog.models import StockLocation
from apps.catalog.services.stock.goods import UnknownStockLocation, UnknownVariant

Lines = Sequence[tuple[str, int]]


def location_id_of(code: str) -> UUID:
    """Return the id of the location with this code. Raises UnknownStockLocation."""
    location_id = StockLocation.objects.filter(code=code).values_list("pk", flat=True).first()
    if location_id is None:
        raise UnknownStockLocation("There is no such stock location.", location=code)
    return location_id


def by_id(lines: Lines) -> list[tuple[UUID, int]]:
    """Return lines of SKU and quantity with the variants' ids in the place of the SKUs.

    Raises UnknownVariant with all SKUs that nothing has.
    """
    ids = _variant_ids({sku for sku, _ in lines})
    if unknown := sorted({sku for sku, _ in lines} - ids.keys()):
        raise UnknownVariant("There is no such SKU.", skus=unknown)
    return [(ids[sku], quantity) for sku, quantity in lines]


def _variant_ids(skus: Iterable[str]) -> dict[str, UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT given.sku, v.id FROM unnest(%s::text[]) AS given(sku)
            JOIN catalog_variant v ON upper(v.sku) = upper(given.sku)
            """,
            [list(skus)],
        )
        return dict(cursor.fetchall())
