"""Where the paths of the catalog lead."""

from django.urls import path

from apps.catalog.views.alerts import Alerts, OneAlert
from apps.catalog.views.attributes import Attributes, Choices, OneAttribute, OneChoice
from apps.catalog.views.availability import AvailabilityBySku, AvailabilityOfMany
from apps.catalog.views.bulk import BulkProducts
from apps.catalog.views.categories import (
    Categories,
    CategoryMoves,
    CategoryProducts,
    OneCategory,
)
from apps.catalog.views.collections import CollectionProducts, Collections, OneCollection
from apps.catalog.views.exchange import (
    ExportFile,
    Exports,
    ImportRetries,
    ImportRows,
    Imports,
    ImportTemplate,
    OneExport,
    OneImport,
)
from apps.catalog.views.inventory import Inventory
from apps.catalog.views.labels import Brands, OneBrand, OneTag, Tags
from apps.catalog.views.ledger import Movements, OneReservation, Reservations
from apps.catalog.views.low_stock import AllReorderPoints, WhatIsLow
from apps.catalog.views.media import OneMedium, ProductMedia
from apps.catalog.views.moderation import ReviewModerations, ReviewReplies, Reviews
from apps.catalog.views.price_lists import OnePriceList, PriceLists
from apps.catalog.views.prices import BulkPrices, PriceHistory, PricesOfVariant
from apps.catalog.views.product_types import OneProductType, ProductTypes
from apps.catalog.views.products import OneProduct, Products
from apps.catalog.views.publications import Publications
from apps.catalog.views.questions import (
    AnswerModerations,
    MyAnswers,
    MyQuestions,
    OneAnswer,
    OneQuestion,
    ProductQuestions,
    QuestionAnswers,
    QuestionModerations,
    Questions,
)
from apps.catalog.views.related import Related
from apps.catalog.views.review_photos import OneReviewPhoto, ReviewPhotos
from apps.catalog.views.reviews import (
    MyReviews,
    OneReview,
    ProductRating,
    ProductReviews,
    ReviewReports,
    ReviewVotes,
)
from apps.catalog.views.search import Search, SearchAnalytics, SearchSuggestions
from apps.catalog.views.search_rules import (
    Boosts,
    OneBoost,
    OneRedirect,
    OneSynonym,
    Redirects,
    Synonyms,
)
from apps.catalog.views.stock_locations import OneStockLocation, StockLocations
from apps.catalog.views.stock_policies import StockPolicy
from apps.catalog.views.stock_transfers import OneStockTransfer, Receipts, StockTransfers
from apps.catalog.views.warehouse import Adjustments, OneStockCount, StockCounts

urlpatterns = [
    path("products", Products.as_view(), name="products"),
    path("products/bulk", BulkProducts.as_view(), name="products-bulk"),
    path("products/<str:key>", OneProduct.as_view(), name="product"),
    path("products/<id:product_id>/reviews", ProductReviews.as_view(), name="product-reviews"),
    path("products/<id:product_id>/rating", ProductRating.as_view(), name="product-rating"),
    path("products/<id:product_id>/media", ProductMedia.as_view(), name="product-media"),
    path(
        "products/<id:product_id>/media/<id:media_id>", OneMedium.as_view(), name="product-medium"
    ),
    path("products/<id:product_id>/questions", ProductQuestions.as_view(), name="questions"),
    path("questions", Questions.as_view(), name="question-queue"),
    path("questions/<id:question_id>", OneQuestion.as_view(), name="question"),
    path("answers/<id:answer_id>", OneAnswer.as_view(), name="answer"),
    path("questions/<id:question_id>/answers", QuestionAnswers.as_view(), name="answers"),
    path(
        "questions/<id:question_id>/moderations",
        QuestionModerations.as_view(),
        name="question-moderations",
    ),
    path(
        "answers/<id:answer_id>/moderations", AnswerModerations.as_view(), name="answer-moderations"
    ),
    path("reviews", Reviews.as_view(), name="reviews"),
    path("reviews/<id:review_id>", OneReview.as_view(), name="review"),
    path("reviews/<id:review_id>/photos", ReviewPhotos.as_view(), name="review-photos"),
    path(
        "reviews/<id:review_id>/photos/<id:photo_id>",
        OneReviewPhoto.as_view(),
        name="review-photo",
    ),
    path("reviews/<id:review_id>/votes", ReviewVotes.as_view(), name="review-votes"),
    path("reviews/<id:review_id>/reports", ReviewReports.as_view(), name="review-reports"),
    path("reviews/<id:review_id>/replies", ReviewReplies.as_view(), name="review-replies"),
    path(
        "reviews/<id:review_id>/moderations",
        ReviewModerations.as_view(),
        name="review-moderations",
    ),
    path("users/me/questions", MyQuestions.as_view(), name="my-questions"),
    path("users/me/answers", MyAnswers.as_view(), name="my-answers"),
    path("users/me/reviews", MyReviews.as_view(), name="my-reviews"),
    path("search", Search.as_view(), name="search"),
    path("search/suggestions", SearchSuggestions.as_view(), name="search-suggestions"),
    path("products/<id:product_id>/publications", Publications.as_view(), name="publications"),
    path("products/<str:key>/related", Related.as_view(), name="related"),
    path("collections", Collections.as_view(), name="collections"),
    path("collections/<str:collection>", OneCollection.as_view(), name="collection"),
    path(
        "collections/<str:collection>/products",
        CollectionProducts.as_view(),
        name="collection_products",
    ),
    path("product-types", ProductTypes.as_view(), name="product_types"),
    path("product-types/<str:product_type>", OneProductType.as_view(), name="product_type"),
    path("attributes", Attributes.as_view(), name="attributes"),
    path("attributes/<id:attribute_id>", OneAttribute.as_view(), name="attribute"),
    path("attributes/<id:attribute_id>/values", Choices.as_view(), name="choices"),
    path("attributes/<id:attribute_id>/values/<id:choice_id>", OneChoice.as_view(), name="choice"),
    path("brands", Brands.as_view(), name="brands"),
    path("brands/<str:brand>", OneBrand.as_view(), name="brand"),
    path("tags", Tags.as_view(), name="tags"),
    path("tags/<str:tag>", OneTag.as_view(), name="tag"),
    path("search/analytics", SearchAnalytics.as_view(), name="search-analytics"),
    path("search/synonyms", Synonyms.as_view(), name="search-synonyms"),
    path("search/synonyms/<id:synonym_id>", OneSynonym.as_view(), name="search-synonym"),
    path("search/boosts", Boosts.as_view(), name="search-boosts"),
    path("search/boosts/<id:boost_id>", OneBoost.as_view(), name="search-boost"),
    path("search/redirects", Redirects.as_view(), name="search-redirects"),
    path("search/redirects/<id:redirect_id>", OneRedirect.as_view(), name="search-redirect"),
    path("products/<str:key>/price-history", PriceHistory.as_view(), name="price-history"),
    path("variants/<id:variant_id>/prices", PricesOfVariant.as_view(), name="variant-prices"),
    path(
        "variants/<id:variant_id>/stock-policy", StockPolicy.as_view(), name="variant-stock-policy"
    ),
    path("prices/bulk", BulkPrices.as_view(), name="bulk-prices"),
    path("price-lists", PriceLists.as_view(), name="price-lists"),
    path("price-lists/<id:list_id>", OnePriceList.as_view(), name="price-list"),
    path("categories", Categories.as_view(), name="categories"),
    path("inventory", AvailabilityBySku.as_view(), name="availability_by_sku"),
    path("inventory/availability", AvailabilityOfMany.as_view(), name="availability"),
    path("inventory/adjustments", Adjustments.as_view(), name="adjustments"),
    path("inventory/low-stock", WhatIsLow.as_view(), name="low_stock"),
    path("inventory/reorder-points", AllReorderPoints.as_view(), name="reorder_points"),
    path("inventory/movements", Movements.as_view(), name="movements"),
    path("inventory/reservations", Reservations.as_view(), name="reservations"),
    path("inventory/reservations/<id:order_id>", OneReservation.as_view(), name="reservation"),
    path("categories/<str:category>", OneCategory.as_view(), name="category"),
    path("categories/<id:category_id>/moves", CategoryMoves.as_view(), name="category_moves"),
    path(
        "categories/<str:category>/products", CategoryProducts.as_view(), name="category_products"
    ),
    path("inventory/<id:product_id>", Inventory.as_view(), name="inventory"),
    path("stock-locations", StockLocations.as_view(), name="stock_locations"),
    path("stock-locations/<id:location_id>", OneStockLocation.as_view(), name="stock_location"),
    path("stock-counts", StockCounts.as_view(), name="stock_counts"),
    path("stock-counts/<id:count_id>", OneStockCount.as_view(), name="stock_count"),
    path("stock-transfers", StockTransfers.as_view(), name="stock_transfers"),
    path("stock-transfers/<id:transfer_id>", OneStockTransfer.as_view(), name="stock_transfer"),
    path("stock-transfers/<id:transfer_id>/receipts", Receipts.as_view(), name="stock_receipts"),
    path("imports", Imports.as_view(), name="imports"),
    path("imports/templates/<str:of>", ImportTemplate.as_view(), name="import-template"),
    path("imports/<id:import_id>", OneImport.as_view(), name="import"),
    path("imports/<id:import_id>/rows", ImportRows.as_view(), name="import-rows"),
    path("imports/<id:import_id>/retries", ImportRetries.as_view(), name="import-retries"),
    path("exports", Exports.as_view(), name="exports"),
    path("exports/<id:product_export_id>", OneExport.as_view(), name="export"),
    path("exports/<id:product_export_id>/file", ExportFile.as_view(), name="export-file"),
    path("users/me/alerts", Alerts.as_view(), name="alerts"),
    path("users/me/alerts/<id:alert_id>", OneAlert.as_view(), name="alert"),
]
