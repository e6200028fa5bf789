"""Reads of counts."""

from typing import Any

from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import StockCount

COLUMNS = ("id", "reason", "actor_id", "created_at")

LINES = """coalesce((
    SELECT json_agg(json_build_object(
        'variant_id', v.id, 'sku', v.sku, 'expected', l.expected, 'counted', l.counted
    ) ORDER BY v.sku)
    FROM catalog_stockcountline l JOIN catalog_variant v ON v.id = l.variant_id
    WHERE l.count_id = catalog_stockcount.id
), '[]')"""


def counts() -> QuerySet[StockCount, dict[str, Any]]:
    """Return the counts as dictionaries, each with how many SKUs it has put right."""
    differing = (
        "(SELECT count(*) FROM catalog_stockcountline l"
        " WHERE l.count_id = catalog_stockcount.id AND l.expected <> l.counted)"
    )
    return StockCount.objects.values(
        *COLUMNS,
        place=F("location__code"),
        differing=RawSQL(differing, []),  # noqa: S611 - a constant
    )


def whole_counts() -> QuerySet[StockCount, dict[str, Any]]:
    """Return the counts with their lines."""
    return counts().annotate(counted=RawSQL(LINES, []))  # noqa: S611 - made of constants
