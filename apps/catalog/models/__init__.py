"""Rows of the catalog: what is sold, how much of it there is, what customers say of it."""

from apps.catalog.models.alerts import StockAlert
from apps.catalog.models.categories import Category
from apps.catalog.models.changes import ChangedInCommon, ChangedProduct
from apps.catalog.models.collections import Collection, CollectionProduct
from apps.catalog.models.counts import StockCount, StockCountLine
from apps.catalog.models.exchange import Export, Import, ImportName, ImportRow
from apps.catalog.models.former_slugs import FormerSlug
from apps.catalog.models.indexing import IndexingWork
from apps.catalog.models.low_stock import LowStock, ReorderPoint
from apps.catalog.models.media import Image, PictureWork, picture_url
from apps.catalog.models.prices import Price, PriceChange, PriceList
from apps.catalog.models.product_types import (
    Attribute,
    AttributeChoice,
    ProductType,
    ProductTypeAttribute,
)
from apps.catalog.models.products import Brand, Product, Variant
from apps.catalog.models.questions import Answer, Question
from apps.catalog.models.recommendations import BoughtTogether
from apps.catalog.models.related import RelatedProduct
from apps.catalog.models.review_photos import PhotoWork, ReviewPhoto
from apps.catalog.models.reviews import Purchase, Review, ReviewReply, ReviewReport, ReviewVote
from apps.catalog.models.search import SearchEntry, SearchFacet, SearchWord
from apps.catalog.models.search_rules import (
    SearchBoost,
    SearchCount,
    SearchRedirect,
    SearchSynonym,
)
from apps.catalog.models.stock import (
    Reservation,
    Stock,
    StockLocation,
    StockMovement,
    StockUnit,
)
from apps.catalog.models.tags import Tag
from apps.catalog.models.transfers import StockTransfer, StockTransferLine

__all__ = [
    "Answer",
    "Attribute",
    "AttributeChoice",
    "BoughtTogether",
    "Brand",
    "Category",
    "ChangedInCommon",
    "ChangedProduct",
    "Collection",
    "CollectionProduct",
    "Export",
    "FormerSlug",
    "Image",
    "Import",
    "ImportName",
    "ImportRow",
    "IndexingWork",
    "LowStock",
    "PhotoWork",
    "PictureWork",
    "Price",
    "PriceChange",
    "PriceList",
    "Product",
    "ProductType",
    "ProductTypeAttribute",
    "Purchase",
    "Question",
    "RelatedProduct",
    "ReorderPoint",
    "Reservation",
    "Review",
    "ReviewPhoto",
    "ReviewReply",
    "ReviewReport",
    "ReviewVote",
    "SearchBoost",
    "SearchCount",
    "SearchEntry",
    "SearchFacet",
    "SearchRedirect",
    "SearchSynonym",
    "SearchWord",
    "Stock",
    "StockAlert",
    "StockCount",
    "StockCountLine",
    "StockLocation",
    "StockMovement",
    "StockTransfer",
    "StockTransferLine",
    "StockUnit",
    "Tag",
    "Variant",
    "picture_url",
]
