"""What other apps may know about the catalog, and ask of it.

Nothing here returns a model or a queryset: callers get facts, not handles.
"""

from apps.catalog.selectors.figures import StockFigures, stock_figures
from apps.catalog.selectors.offers import (
    Offer,
    StockDifference,
    offers,
    offers_by_sku,
    stock_differences,
)
from apps.catalog.services.imports import (
    ImportReport,
    ProductRecord,
    RefusedRecord,
    VariantRecord,
    import_products,
)
from apps.catalog.services.stock import (
    AlreadyReserved,
    NotAQuantity,
    OutOfStock,
    UnknownVariant,
    receive,
    release,
    reserve,
    ship,
)

__all__ = [
    "AlreadyReserved",
    "ImportReport",
    "NotAQuantity",
    "Offer",
    "OutOfStock",
    "ProductRecord",
    "RefusedRecord",
    "StockDifference",
    "StockFigures",
    "UnknownVariant",
    "VariantRecord",
    "import_products",
    "offers",
    "offers_by_sku",
    "receive",
    "release",
    "reserve",
    "ship",
    "stock_differences",
    "stock_figures",
]
