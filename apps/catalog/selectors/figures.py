"""Figures of the stock and of open work, for those who watch the shop."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Model

from apps.catalog.models import Export, Import, IndexingWork, PhotoWork, PictureWork
from apps.catalog.states import FREE
from apps.kernel.figures import OpenWork, open_rows

WORK: dict[str, tuple[type[Model], str]] = {
    "export": (Export, "created_at"),
    "import": (Import, "created_at"),
    "indexing": (IndexingWork, "waiting_since"),
    "picture": (PictureWork, "next_action_at"),
    "review_photo": (PhotoWork, "next_action_at"),
}

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


def stock_figures() -> StockFigures:
    """Return the figures of all variants that are for sale. Reads every balance once."""
    with connection.cursor() as cursor:
        cursor.execute(STOCK, [settings.LOW_STOCK_THRESHOLD])
        return StockFigures(*cursor.fetchone())


def open_work() -> list[OpenWork]:
    """Return how far the search index is behind, and what waits of files and pictures."""
    return [open_rows(kind, model, since=since) for kind, (model, since) in WORK.items()]
