"""The search over HTTP."""

from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.search.engine import MOST_HITS, Hits, SearchQuery, Suggestions
from apps.catalog.search.engines import engine_for_request
from apps.catalog.selectors.search import found_rows, searches
from apps.catalog.serializers.products import product_document
from apps.catalog.serializers.search import (
    AnalyticsDocument,
    AnalyticsParameters,
    SearchPage,
    SearchParameters,
    SuggestionParameters,
    SuggestionsDocument,
    cursor_of,
    facets_document,
    suggested_document,
)
from apps.catalog.services.search_counts import count_search
from apps.catalog.views.buyers import buyer_of
from apps.kernel.conditional import cacheable
from apps.kernel.converters import reference_of
from apps.kernel.openapi import problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import staff_with

ATTRIBUTE = OpenApiParameter(
    "filter[attribute][CODE]",
    str,
    OpenApiParameter.QUERY,
    description="Values of the attribute that is called so, comma-separated.",
)
BACKEND = OpenApiParameter(
    "X-Search-Backend",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    enum=["postgresql", "elasticsearch"],
    description="Which engine has answered.",
)
DEGRADED = OpenApiParameter(
    "X-Search-Degraded",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    enum=["true"],
    description="There when Elasticsearch should have answered and PostgreSQL did in its place.",
)


class Search(APIView):
    """What fits a query."""

    admits_api_keys = True

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="search_read",
        parameters=[SearchParameters, ATTRIBUTE, BACKEND, DEGRADED],
        responses={200: SearchPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Find products by words, parts of words, words with typos, or a SKU.

        At most 1,000 hits are ranked and counted. A query of more than 200 characters is 400
        `query_too_long`.
        """
        asked = read_query(request, SearchParameters)
        # The last page is cut where the hits that are ranked end.
        limit = min(asked["limit"], MOST_HITS - asked["after"])
        hits = engine_for_request().search(
            SearchQuery(
                text=asked["q"],
                category=reference_of(asked.get("filter[category]")),
                brands=tuple(asked["filter[brand]"]),
                price_from=asked["filter[price][gte]"],
                price_to=asked["filter[price][lte]"],
                availability=tuple(asked["filter[availability]"]),
                attributes=asked["attributes"],
                sort=asked["sort"],
                limit=limit,
                offset=asked["after"],
            )
        )
        if not asked["after"]:
            count_search(text=asked["q"], results=hits.total)
        page = {
            "results": [
                product_document(row, with_variants=False)
                for row in found_rows(hits.product_ids, buyer=buyer_of(request, {}))
            ],
            "next": _page(request, asked["after"] + limit, total=hits.total),
            "previous": _page(request, asked["after"] - asked["limit"], total=hits.total)
            if asked["after"]
            else None,
            "total": hits.total,
            "total_is_capped": hits.total_is_capped,
            "facets": facets_document(hits.facets),
            "did_you_mean": hits.did_you_mean,
            "redirect": hits.redirect,
            "degraded": hits.degraded,
        }
        return _answer(page, request, hits)


class SearchSuggestions(APIView):
    """What a query may become while it is typed."""

    admits_api_keys = True

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="search_suggestions",
        parameters=[SuggestionParameters, BACKEND, DEGRADED],
        responses={200: SuggestionsDocument, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Suggest products, categories, brands and queries of others; the last word is a part."""
        asked = read_query(request, SuggestionParameters)
        found = engine_for_request().suggest(asked["q"], limit=asked["limit"])
        document = {
            "products": suggested_document(found.products),
            "categories": suggested_document(found.categories),
            "brands": suggested_document(found.brands),
            "queries": list(found.queries),
            "degraded": found.degraded,
        }
        return _answer(document, request, found)


class SearchAnalytics(APIView):
    """What is looked for."""

    permission_classes = (staff_with("catalog.view_searchcount"),)

    @extend_schema(
        operation_id="search_analytics",
        parameters=[AnalyticsParameters],
        responses={200: AnalyticsDocument, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Show what was searched most and what found nothing, up to a minute ago."""
        asked = read_query(request, AnalyticsParameters)
        total, top, without = searches(days=asked["days"], limit=asked["limit"])
        return Response({"searches": total, "top": top, "without_results": without})


def _page(request: Request, offset: int, *, total: int) -> str | None:
    """Return the address of the page that begins there, or None when there is nothing."""
    if offset >= total:
        return None
    kept = {name: value for name, value in request.query_params.items() if name != "after"}
    if offset > 0:
        kept["after"] = cursor_of(offset)
    return request.build_absolute_uri(f"{request.path}?{urlencode(kept)}")


def _answer(document: dict[str, Any], request: Request, found: Hits | Suggestions) -> Response:
    response = cacheable(Response(document), request)
    response["X-Search-Backend"] = found.backend
    if found.degraded:
        response["X-Search-Degraded"] = "true"
    return response
