"""The catalog in the back office."""

from apps.catalog.admin.alerts import StockAlertAdmin
from apps.catalog.admin.categories import CategoryAdmin
from apps.catalog.admin.collections import CollectionAdmin
from apps.catalog.admin.contributions import (
    AnswerAdmin,
    QuestionAdmin,
    ReviewAdmin,
    ReviewPhotoAdmin,
)
from apps.catalog.admin.exchange import ExportAdmin, ImportAdmin
from apps.catalog.admin.labels import BrandAdmin, TagAdmin
from apps.catalog.admin.low_stock import LowStockAdmin, ReorderPointAdmin
from apps.catalog.admin.prices import PriceAdmin, PriceChangeAdmin, PriceListAdmin
from apps.catalog.admin.product_types import AttributeAdmin, ProductTypeAdmin
from apps.catalog.admin.products import ProductAdmin
from apps.catalog.admin.recommendations import BoughtTogetherAdmin
from apps.catalog.admin.search import (
    SearchBoostAdmin,
    SearchCountAdmin,
    SearchRedirectAdmin,
    SearchSynonymAdmin,
)
from apps.catalog.admin.stock import (
    ReservationAdmin,
    StockAdmin,
    StockLocationAdmin,
    StockMovementAdmin,
)
from apps.catalog.admin.warehouse import StockCountAdmin, StockTransferAdmin

__all__ = [
    "AnswerAdmin",
    "AttributeAdmin",
    "BoughtTogetherAdmin",
    "BrandAdmin",
    "CategoryAdmin",
    "CollectionAdmin",
    "ExportAdmin",
    "ImportAdmin",
    "LowStockAdmin",
    "PriceAdmin",
    "PriceChangeAdmin",
    "PriceListAdmin",
    "ProductAdmin",
    "ProductTypeAdmin",
    "QuestionAdmin",
    "ReorderPointAdmin",
    "ReservationAdmin",
    "ReviewAdmin",
    "ReviewPhotoAdmin",
    "SearchBoostAdmin",
    "SearchCountAdmin",
    "SearchRedirectAdmin",
    "SearchSynonymAdmin",
    "StockAdmin",
    "StockAlertAdmin",
    "StockCountAdmin",
    "StockLocationAdmin",
    "StockMovementAdmin",
    "StockTransferAdmin",
    "TagAdmin",
]
