"""Collections over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import Collection
from apps.catalog.models.slugs import is_a_slug
from apps.catalog.selectors.collections import collection_row, collection_rows, in_collection
from apps.catalog.selectors.products import product_rows
from apps.catalog.serializers.collections import CollectionDocument, CollectionPage, RuleDraft
from apps.catalog.serializers.parameters import BY_NAME, CommaSeparated
from apps.catalog.serializers.products import ProductPage, product_document
from apps.catalog.services.collections import (
    UnknownCollection,
    add_collection,
    change_collection,
    choose_products,
    remove_collection,
)
from apps.catalog.views.buyers import BuyerQuery, buyer_of
from apps.catalog.views.product_lists import EXPANDABLE, ORDERINGS
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.converters import id_of, reference_of
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import is_staff_with, staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer

KEY = OpenApiParameter(
    "collection", str, OpenApiParameter.PATH, description="The id; for reading also the slug."
)


def _place(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 10**6:
        raise ValueError("no place")
    return value


BY_HAND = Ordering(column="place", descending=False, parse=_place)


class CollectionDraft(StrictSerializer):
    """A collection: by hand without rules, or by rules."""

    name = StrictCharField(max_length=120)
    slug = StrictCharField(max_length=160, required=False, validators=[is_a_slug])
    description = StrictCharField(max_length=20_000, allow_blank=True, default="")
    seo_title = StrictCharField(max_length=120, allow_blank=True, default="")
    seo_description = StrictCharField(max_length=320, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=Collection.Kind.choices, default="manual")
    match = serializers.ChoiceField(choices=Collection.Match.choices, default="all")
    rules = serializers.ListField(child=RuleDraft(), max_length=20, default=list)

    def to_internal_value(self, data: Any) -> Any:
        # A rule has one field and no defaults, so that PATCH may not leave anything out of it.
        values = super().to_internal_value(data)
        if any(len(rule) != 1 for rule in values.get("rules", ())):
            raise serializers.ValidationError({"rules": ["A rule says exactly one thing."]})
        return values


class Chosen(StrictSerializer):
    """Products by id or slug, in their order."""

    products = serializers.ListField(child=StrictCharField(max_length=200), max_length=500)


class Collections(APIView):
    """All collections."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("catalog.add_collection")() if writes else AllowAny()]

    @extend_schema(
        operation_id="collections_list",
        parameters=[PageQuery],
        responses={200: CollectionPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """List the collections by name."""
        query = read_query(request, PageQuery)
        page = page_of(collection_rows(), ordering=BY_NAME, query=query, request=request)
        return cacheable(Response(page), request)

    @extend_schema(
        operation_id="collections_create",
        request=CollectionDraft,
        responses={201: CollectionDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add a collection. 409 `slug_taken`, 422 `unfit_rule`."""
        draft = CollectionDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        collection = add_collection(fields=draft.validated_data)
        response = _response(collection.pk, status=201)
        response["Location"] = f"{request.path}/{collection.pk}"
        return response


class OneCollection(APIView):
    """A collection."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}.get(self.request.method or "")
        return [staff_with(f"catalog.{needed}_collection")() if needed else AllowAny()]

    @extend_schema(
        operation_id="collections_read",
        parameters=[KEY],
        responses={200: CollectionDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, collection: str) -> Response:
        """Show a collection by id or slug."""
        read_query(request, StrictSerializer)
        return cacheable(_response(reference_of(collection) or ""), request)

    @extend_schema(
        operation_id="collections_update",
        parameters=[KEY, IF_MATCH],
        request=CollectionDraft,
        responses={
            200: CollectionDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    def patch(self, request: Request, collection: str) -> Response:
        """Change what is given; rules are given all or not at all."""
        draft = CollectionDraft(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        change_collection(
            collection_id=id_of(collection),
            fields=draft.validated_data,
            expected_version=expected_version(request),
        )
        return _response(id_of(collection))

    @extend_schema(
        operation_id="collections_delete",
        parameters=[KEY, IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 412)},
    )
    def delete(self, request: Request, collection: str) -> Response:
        """Take a collection away. Its products stay."""
        remove_collection(
            collection_id=id_of(collection), expected_version=expected_version(request)
        )
        return Response(status=204)


class CollectionProducts(APIView):
    """The products of a collection."""

    admits_api_keys = True

    class ProductsQuery(PageQuery, BuyerQuery):
        """How to sort and extend the list. By hand they come in the order that staff gave them."""

        sort = serializers.ChoiceField(choices=list(ORDERINGS), required=False)
        expand = CommaSeparated(choices=EXPANDABLE, default=[])

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "PUT"
        return [staff_with("catalog.change_collection")() if writes else AllowAny()]

    @extend_schema(
        operation_id="collections_products",
        parameters=[KEY, ProductsQuery],
        responses={200: ProductPage, **problems(400, 401, 404)},
    )
    def get(self, request: Request, collection: str) -> Response:
        """List the published products of a collection, by its id or slug."""
        query = read_query(request, self.ProductsQuery)
        row = _row(reference_of(collection) or "")
        buyer = buyer_of(request, query)
        staff = is_staff_with(request, "catalog.view_product")
        products = product_rows(extra=query["expand"], buyer=buyer, for_staff=staff)
        rows = in_collection(products, row)
        ordering = ORDERINGS["-created_at"] if row["kind"] == Collection.Kind.RULE else BY_HAND
        ordering = ORDERINGS.get(query.get("sort", ""), ordering)
        page = page_of(rows, ordering=ordering, query=query, request=request)
        expanded = "variants" in query["expand"]
        page["results"] = [
            product_document(each, with_variants=expanded) for each in page["results"]
        ]
        return cacheable(Response(page), request)

    @extend_schema(
        operation_id="collections_choose",
        parameters=[KEY, IF_MATCH],
        request=Chosen,
        responses={
            200: CollectionDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    def put(self, request: Request, collection: str) -> Response:
        """Choose the products of a collection by hand, all of them. 409 `chosen_by_rules`."""
        chosen = Chosen(data=request.data)
        chosen.is_valid(raise_exception=True)
        choose_products(
            collection_id=id_of(collection),
            products=chosen.validated_data["products"],
            expected_version=expected_version(request),
        )
        return _response(id_of(collection))


def _row(reference: UUID | str) -> dict[str, Any]:
    row = collection_row(reference=reference)
    if row is None:
        raise UnknownCollection("There is no such collection.")
    return row


def _response(reference: UUID | str, *, status: int = 200) -> Response:
    row = _row(reference)
    return tagged(Response(row, status=status), version=row["version"])
