"""Figures of the stock and of the search index, for those who watch the shop."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog.models import IndexingWork
from apps.catalog.states import FREE

STOCK = f"""
SELECT count(*), count(*) FILTER (WHERE available <= 0),
    count(*) FILTER (WHERE available > 0 AND available <= %s),
    coalesce(sum(on_hand), 0)::bigint, coalesce(sum(reserved), 0)::bigint,
    coalesce(sum(allocated), 0)::bigint
FROM (
    SELECT coalesce(sum(greatest({FREE}, 0)) FILTER (WHERE l.is_active), 0) AS available,
        sum(s.on_hand) AS on_hand, sum(s.on_hand - s.allocated - {FREE}) AS reserved,
        sum(s.allocated) AS allocated
    FROM catalog_variant v
    JOIN catalog_product p ON p.id = v.product_id
    LEFT JOIN catalog_stock s ON s.variant_id = v.id
    LEFT JOIN catalog_stocklocation l ON l.id = s.location_id
    WHERE v.is_active AND p.status = 'published'
    GROUP BY v.id
) balances
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, slots=True)
class StockFigures:
    """How many variants are for sale, sold out or nearly so, and how many pieces there are."""

    variants: int
    sold_out: int
    low: int
    on_hand: int
    reserved: int
    allocated: int


@dataclass(frozen=True, slots=True)
class OpenIndexing:
    """Products that the search index does not know as they are. Ages are in seconds, or 0."""

    open: int
    due: int
    oldest_due: float
    oldest: float


def stock_figures() -> StockFigures:
    """Return the figures of all variants that are for sale. Reads every balance once."""
    with connection.cursor() as cursor:
        cursor.execute(STOCK, [settings.LOW_STOCK_THRESHOLD])
        return StockFigures(*cursor.fetchone())


def open_indexing() -> OpenIndexing:
    """Return how far the search index is behind the database."""
    due = Q(next_action_at__lte=Now())
    found = IndexingWork.objects.filter(next_action_at__isnull=False).aggregate(
        open=Count("pk"),
        due=Count("pk", filter=due),
        oldest_due=Min("next_action_at", filter=due),
        oldest=Min("waiting_since"),
    )
    return OpenIndexing(
        found["open"], found["due"], _age(found["oldest_due"]), _age(found["oldest"])
    )


def _age(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0
