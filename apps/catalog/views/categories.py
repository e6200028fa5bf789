"""Categories over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from apps.catalog.models.slugs import is_a_slug
from apps.catalog.selectors.categories import category_row, category_tree, ids_below
from apps.catalog.selectors.former_slugs import category_slug_now
from apps.catalog.serializers.categories import CategoryDocument, CategoryTree, category_document
from apps.catalog.serializers.products import ProductPage
from apps.catalog.services.categories import (
    NoSuchCategory,
    add_category,
    change_category,
    move_category,
    remove_category,
)
from apps.catalog.views.product_lists import ProductQuery, StaffProductQuery, product_page
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.converters import id_of, reference_of
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import is_staff_with, staff_with
from apps.kernel.serializers import StrictCharField, StrictIntegerField, StrictSerializer

KEY = OpenApiParameter(
    "category", str, OpenApiParameter.PATH, description="The id; for reading also the slug."
)
MOST_SIBLINGS = 1_000_000


class CategoryChanges(StrictSerializer):
    """What is said about a category."""

    name = StrictCharField(max_length=120)
    slug = StrictCharField(max_length=160, required=False, validators=[is_a_slug])
    description = StrictCharField(max_length=20_000, allow_blank=True, default="")
    seo_title = StrictCharField(max_length=120, allow_blank=True, default="")
    seo_description = StrictCharField(max_length=320, allow_blank=True, default="")


class CategoryMove(StrictSerializer):
    """Where a category shall stand: below a parent or among the roots, before which sibling."""

    parent = StrictCharField(  # type: ignore[assignment]  # a document's field, not DRF's
        max_length=160, allow_null=True, help_text="Id or slug; null for a root."
    )
    position = StrictIntegerField(
        min_value=0,
        max_value=MOST_SIBLINGS,
        allow_null=True,
        default=None,
        help_text="How many siblings stand before it; null for the last place.",
    )


class CategoryDraft(CategoryMove, CategoryChanges):
    """A new category. Without a slug its name makes one."""

    parent = StrictCharField(  # type: ignore[assignment]  # a document's field, not DRF's
        max_length=160, allow_null=True, default=None, help_text="Id or slug; null for a root."
    )


class Categories(APIView):
    """The category tree."""

    admits_api_keys = True

    class TreeQuery(StrictSerializer):
        """Which part of the tree, and in which form."""

        parent = serializers.CharField(  # type: ignore[assignment]  # a parameter, not DRF's
            required=False, max_length=160, help_text="Id or slug: only what is below it."
        )
        depth = serializers.IntegerField(
            required=False, min_value=1, max_value=10, help_text="How many levels."
        )
        flat = serializers.ChoiceField(
            choices=["true", "false"], default="false", help_text="One after the other, no tree."
        )

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("catalog.add_category")() if writes else AllowAny()]

    @extend_schema(
        operation_id="categories_list",
        parameters=[TreeQuery],
        responses={200: CategoryTree, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show all categories, or some, as a tree."""
        query = read_query(request, self.TreeQuery)
        rows = category_tree(
            parent=query.get("parent"), depth=query.get("depth"), flat=query["flat"] == "true"
        )
        return cacheable(Response({"results": rows}), request)

    @extend_schema(
        operation_id="categories_create",
        request=CategoryDraft,
        responses={201: CategoryDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add a category. 409 `name_taken` among its siblings, `slug_taken`."""
        draft = CategoryDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        fields = dict(draft.validated_data)
        category = add_category(
            parent=reference_of(fields.pop("parent")),
            position=fields.pop("position"),
            fields=fields,  # type: ignore[arg-type]  # what the serializer lets through
        )
        response = _response(category.pk, status=201)
        response["Location"] = reverse(
            "category", kwargs={"category": category.pk}, request=request
        )
        return response


class OneCategory(APIView):
    """One category."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PUT": "change", "PATCH": "change", "DELETE": "delete"}
        verb = needed.get(self.request.method or "")
        return [staff_with(f"catalog.{verb}_category")() if verb else AllowAny()]

    @extend_schema(
        operation_id="categories_read",
        parameters=[KEY],
        responses={200: CategoryDocument, 301: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request, category: str) -> Response:
        """Show a category by id or slug. 301 from a slug that it had before."""
        read_query(request, StrictSerializer)
        reference = reference_of(category) or ""
        row = category_row(reference=reference)
        if row is None and isinstance(reference, str) and (slug := category_slug_now(reference)):
            place = reverse("category", kwargs={"category": slug}, request=request)
            return cacheable(Response(status=301, headers={"Location": place}), request)
        return cacheable(_response_of(row), request)

    @extend_schema(
        operation_id="categories_replace",
        parameters=[KEY, IF_MATCH],
        request=CategoryChanges,
        responses={200: CategoryDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415)},
    )
    def put(self, request: Request, category: str) -> Response:
        """Say everything about a category anew. Where it stands is moved, not said."""
        return self._change(request, category, CategoryChanges(data=request.data))

    @extend_schema(
        operation_id="categories_update",
        parameters=[KEY, IF_MATCH],
        request=CategoryChanges,
        responses={200: CategoryDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415)},
    )
    def patch(self, request: Request, category: str) -> Response:
        """Change what is given."""
        return self._change(request, category, CategoryChanges(data=request.data, partial=True))

    @extend_schema(
        operation_id="categories_delete",
        parameters=[KEY, IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, category: str) -> Response:
        """Take a category away in which nothing stands. 409 `category_in_use`."""
        remove_category(category_id=id_of(category), expected_version=expected_version(request))
        return Response(status=204)

    def _change(self, request: Request, key: str, document: StrictSerializer) -> Response:
        document.is_valid(raise_exception=True)
        changed = change_category(
            category_id=id_of(key),
            fields=document.validated_data,
            expected_version=expected_version(request),
        )
        return _response(changed.pk)


class CategoryMoves(APIView):
    """Moving a category within the tree."""

    permission_classes = (staff_with("catalog.change_category"),)

    @extend_schema(
        operation_id="categories_move",
        parameters=[IF_MATCH],
        request=CategoryMove,
        responses={200: CategoryDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415, 422)},
    )
    def post(self, request: Request, category_id: UUID) -> Response:
        """Put a category somewhere else, with all below it. 422 `category_cycle`."""
        move = CategoryMove(data=request.data)
        move.is_valid(raise_exception=True)
        moved = move_category(
            category_id=category_id,
            parent=reference_of(move.validated_data["parent"]),
            position=move.validated_data["position"],
            expected_version=expected_version(request),
        )
        return _response(moved.pk)


class CategoryProducts(APIView):
    """The products in a category and below it."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    class InCategory:
        """The path says the category, so the query does not."""

        def get_fields(self) -> dict[str, Any]:
            fields: dict[str, Any] = super().get_fields()  # type: ignore[misc]  # a mixin
            del fields["filter[category]"]
            return fields

    class CategoryQuery(InCategory, ProductQuery):
        """How to filter, sort and extend the list."""

    class StaffCategoryQuery(InCategory, StaffProductQuery):
        """What staff may ask beyond that."""

    @extend_schema(
        operation_id="categories_products",
        parameters=[KEY, StaffCategoryQuery],
        responses={200: ProductPage, **problems(400, 401, 404)},
    )
    def get(self, request: Request, category: str) -> Response:
        """List them as `GET /products` does, by id or slug of the category."""
        staff = is_staff_with(request, "catalog.view_product")
        query = read_query(request, self.StaffCategoryQuery if staff else self.CategoryQuery)
        if not (below := ids_below(reference_of(category) or "")):
            raise NoSuchCategory("There is no such category.")
        page = product_page(request, query, staff=staff, categories=below)
        return cacheable(Response(page), request)


def _response(reference: UUID, *, status: int = 200) -> Response:
    return _response_of(category_row(reference=reference), status=status)


def _response_of(row: dict[str, Any] | None, *, status: int = 200) -> Response:
    if row is None:
        raise NoSuchCategory("There is no such category.")
    return tagged(Response(category_document(row), status=status), version=row["version"])
