"""Reads of what has run low."""

from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, F, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from apps.catalog.models import LowStock, ReorderPoint
from apps.catalog.states import FREE

COLUMNS = ("since",)

LEFT = f"""coalesce((
    SELECT sum(greatest({FREE}, 0))
    FROM catalog_stock s JOIN catalog_stocklocation l ON l.id = s.location_id
    WHERE s.variant_id = catalog_lowstock.variant_id AND l.is_active
), 0)::bigint"""  # noqa: S608 - made of constants


def left() -> RawSQL:
    """Return how many pieces of a row's variant can be sold now."""
    return RawSQL(LEFT, [], BigIntegerField())  # noqa: S611 - made of constants


def low_stock() -> QuerySet[LowStock, dict[str, Any]]:
    """Return what has run low as dictionaries, each with how many pieces are left to sell."""
    return LowStock.objects.values(
        *COLUMNS,
        id=F("variant_id"),
        sku=F("variant__sku"),
        product_id=F("variant__product_id"),
        name=F("variant__product__name"),
        available=left(),
        reorder_point=Coalesce(
            F("variant__reorder_point__pieces"), Value(settings.LOW_STOCK_THRESHOLD)
        ),
    )


def reorder_points() -> QuerySet[ReorderPoint, dict[str, Any]]:
    """Return the numbers that SKUs have of their own, as dictionaries."""
    return ReorderPoint.objects.values(*("pieces",), id=F("variant_id"), sku=F("variant__sku"))
