"""The catalog in the back office."""

from apps.catalog.admin.alerts import StockAlertAdmin
from apps.catalog.admin.categories import CategoryAdmin
from apps.catalog.admin.contributions import ReviewAdmin
from apps.catalog.admin.low_stock import LowStockAdmin, ReorderPointAdmin
from apps.catalog.admin.products import BrandAdmin, ProductAdmin
from apps.catalog.admin.recommendations import BoughtTogetherAdmin
from apps.catalog.admin.stock import (
    ReservationAdmin,
    StockAdmin,
    StockLocationAdmin,
    StockMovementAdmin,
)
from apps.catalog.admin.warehouse import StockCountAdmin, StockTransferAdmin

__all__ = [
    "BoughtTogetherAdmin",
    "BrandAdmin",
    "CategoryAdmin",
    "LowStockAdmin",
    "ProductAdmin",
    "ReorderPointAdmin",
    "ReservationAdmin",
    "ReviewAdmin",
    "StockAdmin",
    "StockAlertAdmin",
    "StockCountAdmin",
    "StockLocationAdmin",
    "StockMovementAdmin",
    "StockTransferAdmin",
]
