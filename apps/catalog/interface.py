"""What other apps may know about the catalog, and ask of it.

Nothing here returns a model or a queryset: callers get facts, not handles.
"""

from apps.catalog.personal_data import TABLES
from apps.catalog.selectors.figures import (
    StockFigures,
    open_work,
    stock_figures,
)
from apps.catalog.selectors.goods import missing_goods
from apps.catalog.selectors.offers import (
    Offer,
    StockDifference,
    Tier,
    offers,
    offers_by_sku,
    stock_differences,
    tax_classes_in_use,
)
from apps.catalog.selectors.stock import can_ship, held_units, returned_units
from apps.catalog.selectors.stock_transfers import TransferDifference, transfer_differences
from apps.catalog.services.alerts import BackInStock, take_due_alerts
from apps.catalog.services.erasure import erase
from apps.catalog.services.imports.programs import (
    ImportReport,
    ProductRecord,
    RefusedRecord,
    VariantRecord,
    import_products,
)
from apps.catalog.services.low_stock import LowStockDigest, RunningLow, notice_low_stock
from apps.catalog.services.recommendations import Companion, CompanionsKept, keep_companions
from apps.catalog.services.review_photos import documents_of
from apps.catalog.services.stock import (
    AlreadyReserved,
    GoodsNotThere,
    NotAQuantity,
    NotHeld,
    NotShipped,
    OutOfStock,
    UnknownVariant,
    allocate,
    give_up,
    keep,
    receive,
    release,
    reserve,
    return_to_stock,
    ship,
    take_turn,
)
from apps.kernel.privacy import Column, Person, Records, columns_of, records_of

__all__ = [
    "AlreadyReserved",
    "BackInStock",
    "Companion",
    "CompanionsKept",
    "GoodsNotThere",
    "ImportReport",
    "LowStockDigest",
    "NotAQuantity",
    "NotHeld",
    "NotShipped",
    "Offer",
    "OutOfStock",
    "ProductRecord",
    "RefusedRecord",
    "RunningLow",
    "StockDifference",
    "StockFigures",
    "Tier",
    "TransferDifference",
    "UnknownVariant",
    "VariantRecord",
    "allocate",
    "can_ship",
    "documents_of",
    "erase",
    "give_up",
    "held_units",
    "import_products",
    "keep",
    "keep_companions",
    "missing_goods",
    "notice_low_stock",
    "offers",
    "offers_by_sku",
    "open_work",
    "personal_columns",
    "personal_data_of",
    "receive",
    "release",
    "reserve",
    "return_to_stock",
    "returned_units",
    "ship",
    "stock_differences",
    "stock_figures",
    "take_due_alerts",
    "take_turn",
    "tax_classes_in_use",
    "transfer_differences",
]


def personal_columns() -> tuple[Column, ...]:
    """Return what each column of the app's tables tells of people."""
    return columns_of(TABLES)


def personal_data_of(*, person: Person) -> tuple[Records, ...]:
    """Return all that the app keeps of a person, but for what is withheld."""
    return records_of(TABLES, person=person)
