"""Lists of products: all that the store sells, and those of a category."""

from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from apps.catalog.models import Product
from apps.catalog.pricing import LARGEST_PRICE
from apps.catalog.selectors.products import narrow, product_rows
from apps.catalog.selectors.stock import BANDS
from apps.catalog.serializers.parameters import (
    BY_NAME,
    CommaSeparated,
    FilteredByAttributes,
    PriceParameter,
    attribute_filters,
)
from apps.catalog.serializers.products import product_document
from apps.catalog.views.buyers import BuyerQuery, buyer_of
from apps.kernel.pagination import Ordering, page_of
from apps.kernel.prepared import prepared

EXPANDABLE = ("attributes", "breadcrumbs", "description", "tags", "variants")


def _price(value: Any) -> int:
    if type(value) is not int or abs(value) > LARGEST_PRICE:
        raise ValueError("no price")
    return value


def _score(value: Any) -> float:
    if type(value) not in {int, float}:
        raise ValueError("no score")
    return float(value)


ORDERINGS = {
    "created_at": Ordering("created_at", False, datetime.fromisoformat),  # noqa: FBT003 - ascending
    "-created_at": Ordering("created_at", True, datetime.fromisoformat),  # noqa: FBT003 - descending
    "price": Ordering("price_from_minor", False, _price),  # noqa: FBT003 - ascending
    "-price": Ordering("price_from_minor", True, _price),  # noqa: FBT003 - descending
    "-rating": Ordering("rating_score", True, _score),  # noqa: FBT003 - descending
    "name": BY_NAME,
    "-name": replace(BY_NAME, descending=True),
}


NARROWING = {
    "after",
    "before",
    "filter[availability]",
    "filter[brand]",
    "filter[price][gte]",
    "filter[price][lte]",
    "filter[status]",
    "filter[tag]",
}


class ProductQuery(FilteredByAttributes, BuyerQuery):
    """How to filter, sort and extend the list."""

    sort = serializers.ChoiceField(choices=list(ORDERINGS), default="-created_at")
    expand = CommaSeparated(choices=EXPANDABLE, default=[])

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            **super().get_fields(),
            "filter[category]": serializers.CharField(
                required=False, max_length=160, help_text="Id or slug; with all below it."
            ),
            "filter[brand]": CommaSeparated(required=False, help_text="Slugs."),
            "filter[tag]": CommaSeparated(required=False, help_text="Slugs."),
            "filter[availability]": CommaSeparated(choices=BANDS, required=False),
            "filter[price][gte]": PriceParameter(required=False),
            "filter[price][lte]": PriceParameter(required=False),
        }


class StaffProductQuery(ProductQuery):
    """What staff may ask beyond that."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            **super().get_fields(),
            "filter[status]": serializers.ChoiceField(
                choices=[*Product.Status.values, "all"],
                default="published",
                help_text="For staff.",
            ),
        }


def product_page(
    request: Request,
    query: dict[str, Any],
    *,
    staff: bool,
    categories: Collection[UUID] | None = None,
) -> dict[str, Any]:
    """Return a page of products, as a ProductQuery asks for it, of all categories or of some."""
    status = query.get("filter[status]", "published")
    rows = narrow(
        product_rows(
            status=None if status == "all" else status,
            extra=query["expand"],
            buyer=buyer_of(request, query),
            for_staff=staff,
        ),
        categories=categories,
        brands=query.get("filter[brand]", []),
        tags=query.get("filter[tag]", []),
        attributes=attribute_filters(query["attributes"]),
        availability=query.get("filter[availability]", []),
        price_from=query.get("filter[price][gte]"),
        price_to=query.get("filter[price][lte]"),
    )
    if "price" in query["sort"]:
        # A cursor cannot stand on a product that has no price yet.
        rows = rows.filter(price_from_minor__isnull=False)
    # Filters and cursors are planned each time: which index is best depends on what they leave.
    narrowed = categories is not None or query["attributes"] or NARROWING & query.keys()
    with nullcontext() if narrowed else prepared():
        page = page_of(rows, ordering=ORDERINGS[query["sort"]], query=query, request=request)
    expanded = "variants" in query["expand"]
    page["results"] = [product_document(row, with_variants=expanded) for row in page["results"]]
    return page
