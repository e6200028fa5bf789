"""Products over HTTP."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from apps.catalog.models import Product
from apps.catalog.models.products import is_a_sku, is_a_slug, is_a_tax_class
from apps.catalog.selectors.categories import ids_below
from apps.catalog.selectors.former_slugs import product_slug_now
from apps.catalog.selectors.products import product_row
from apps.catalog.serializers.products import (
    AttributeValue,
    ProductDocument,
    ProductPage,
    product_document,
)
from apps.catalog.services.products import (
    ProductFields,
    UnknownProduct,
    VariantDraft,
    archive_product,
    change_product,
    create_product,
)
from apps.catalog.services.stock import LARGEST_QUANTITY
from apps.catalog.views.buyers import BuyerQuery, buyer_of
from apps.catalog.views.product_lists import (
    EXPANDABLE,
    ProductQuery,
    StaffProductQuery,
    product_page,
)
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.converters import id_of, reference_of
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import is_staff_with, staff_with
from apps.kernel.serializers import (
    MoneyField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)

KEY = OpenApiParameter(
    "key", str, OpenApiParameter.PATH, description="The product's id; for reading also its slug."
)
PRODUCT_EXTRA = (*EXPANDABLE, "page")


class Products(APIView):
    """The assortment."""

    admits_api_keys = True

    class ProductDraft(StrictSerializer):
        """A new product."""

        class VariantEntry(StrictSerializer):
            """One SKU. `on_hand` is what was counted in the main location."""

            sku = StrictCharField(max_length=64, validators=[is_a_sku])
            name = StrictCharField(max_length=120, allow_blank=True, default="")
            options = serializers.DictField(
                child=StrictCharField(max_length=120, allow_blank=True), default=dict
            )
            price = MoneyField()
            compare_at_price = MoneyField(allow_null=True, default=None)
            weight_grams = StrictIntegerField(min_value=0, max_value=100_000_000, default=0)
            on_hand = StrictIntegerField(min_value=0, max_value=LARGEST_QUANTITY, required=False)

            def validate_options(self, options: dict[str, str]) -> dict[str, str]:
                if len(options) > 20 or any(len(k) > 60 or "\0" in k for k in options):
                    raise serializers.ValidationError("At most 20 options with short names.")
                return options

        name = StrictCharField(max_length=200)
        slug = StrictCharField(max_length=200, required=False, validators=[is_a_slug])
        description = StrictCharField(max_length=20_000, allow_blank=True, default="")
        brand = StrictCharField(
            max_length=120,
            allow_null=True,
            default=None,
            help_text="Slug or name; an unknown name makes a new brand.",
        )
        category = StrictCharField(
            max_length=160, allow_null=True, default=None, help_text="Id or slug."
        )
        status = serializers.ChoiceField(choices=Product.Status.choices, default="draft")
        package_size = StrictCharField(max_length=60, allow_blank=True, default="")
        tax_class = StrictCharField(
            max_length=40,
            allow_blank=True,
            default="",
            validators=[is_a_tax_class],
            help_text="Code of a tax class; empty, or unknown: the default one.",
        )
        type = StrictCharField(
            max_length=160, allow_null=True, default=None, help_text="Id or slug of a product type."
        )
        attributes = serializers.DictField(
            child=AttributeValue(), default=dict, help_text="Value by code, as the type has them."
        )
        tags = serializers.ListField(
            child=StrictCharField(max_length=60),
            default=list,
            max_length=50,
            help_text="Slugs or names; an unknown name makes a new tag.",
        )
        seo_title = StrictCharField(max_length=120, allow_blank=True, default="")
        seo_description = StrictCharField(max_length=320, allow_blank=True, default="")
        variants = serializers.ListField(child=VariantEntry(), default=list, max_length=200)

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("catalog.add_product")() if writes else AllowAny()]

    @extend_schema(
        operation_id="products_list",
        parameters=[StaffProductQuery],
        responses={200: ProductPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """List products. Only published ones, unless staff ask for others.

        Also `filter[attributes.CODE]=value,value`, and of numbers and dates
        `filter[attributes.CODE][gte]` and `[lte]`, for attributes that are filterable.
        """
        staff = is_staff_with(request, "catalog.view_product")
        query = read_query(request, StaffProductQuery if staff else ProductQuery)
        category = reference_of(query.get("filter[category]"))
        below = None if category is None else ids_below(category)
        page = product_page(request, query, staff=staff, categories=below)
        return cacheable(Response(page), request)

    @extend_schema(
        operation_id="products_create",
        request=ProductDraft,
        responses={201: ProductDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add a product. 409 `slug_taken` or `sku_taken`."""
        draft = self.ProductDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        product = create_product(
            fields=fields_of(draft.validated_data), actor_id=cast("UUID", request.user.pk)
        )
        response = product_response(product.pk, status=201)
        response["Location"] = reverse("product", kwargs={"key": product.pk}, request=request)
        return response


class OneProduct(APIView):
    """One product."""

    admits_api_keys = True

    class ProductReplacement(Products.ProductDraft):
        """All of a product. Variants are known by SKU; what is not named is retired."""

        status = serializers.ChoiceField(choices=Product.Status.choices)
        category = StrictCharField(max_length=160, allow_null=True, help_text="Id or slug.")
        variants = serializers.ListField(child=Products.ProductDraft.VariantEntry(), max_length=200)

    class ProductPatch(ProductReplacement):
        """Some of a product. Variants are given all or not at all."""

        def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
            fields = super().get_fields()
            # DRF's own `partial` would let the variants inside be incomplete, too.
            for field in fields.values():
                field.required, field.default = False, empty
            return fields

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PUT": "change", "PATCH": "change", "DELETE": "delete"}
        if self.request is None or self.request.method not in needed:
            return [AllowAny()]
        return [staff_with(f"catalog.{needed[self.request.method]}_product")()]

    @extend_schema(
        operation_id="products_read",
        parameters=[KEY, BuyerQuery],
        responses={200: ProductDocument, 301: None, **problems(400, 401, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        """Show a product by id or slug. Only published ones, unless to staff.

        301 from a slug that it had before.
        """
        query = read_query(request, BuyerQuery)
        staff = is_staff_with(request, "catalog.view_product")
        reference = reference_of(key) or ""
        row = product_row(
            reference=reference,
            for_staff=staff,
            extra=PRODUCT_EXTRA,
            buyer=buyer_of(request, query),
        )
        if row is None:
            slug = isinstance(reference, str) and product_slug_now(
                reference, published_only=not staff
            )
            if slug:
                place = reverse("product", kwargs={"key": slug}, request=request)
                return cacheable(Response(status=301, headers={"Location": place}), request)
            raise UnknownProduct("There is no such product.")
        response = Response(product_document(row))
        return tagged(cacheable(response, request), version=row["version"])

    @extend_schema(
        operation_id="products_replace",
        parameters=[KEY, IF_MATCH],
        request=ProductReplacement,
        responses={
            200: ProductDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    def put(self, request: Request, key: str) -> Response:
        """Replace a product."""
        return self._change(request, key, self.ProductReplacement(data=request.data))

    @extend_schema(
        operation_id="products_update",
        parameters=[KEY, IF_MATCH],
        request=ProductPatch,
        responses={
            200: ProductDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    def patch(self, request: Request, key: str) -> Response:
        """Change some fields of a product."""
        return self._change(request, key, self.ProductPatch(data=request.data))

    @extend_schema(
        operation_id="products_archive",
        parameters=[KEY, IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 412)},
    )
    def delete(self, request: Request, key: str) -> Response:
        """Take a product out of the shop."""
        archive_product(product_id=id_of(key), expected_version=expected_version(request))
        return Response(status=204)

    def _change(self, request: Request, key: str, document: StrictSerializer) -> Response:
        document.is_valid(raise_exception=True)
        product = change_product(
            product_id=id_of(key),
            fields=fields_of(document.validated_data),
            expected_version=expected_version(request),
            actor_id=cast("UUID", request.user.pk),
        )
        return product_response(product.pk)


def fields_of(document: dict[str, Any]) -> ProductFields:
    fields: dict[str, Any] = dict(document)
    if "category" in fields:
        fields["category"] = reference_of(fields["category"])
    if "type" in fields:
        fields["type"] = reference_of(fields["type"])
    if "variants" in fields:
        fields["variants"] = [
            VariantDraft(
                sku=entry["sku"],
                price=entry["price"],
                compare_at=entry["compare_at_price"],
                name=entry["name"],
                options=entry["options"],
                weight_grams=entry["weight_grams"],
                on_hand=entry.get("on_hand"),
            )
            for entry in fields["variants"]
        ]
    return cast("ProductFields", fields)


def product_response(product_id: UUID, *, status: int = 200) -> Response:
    """Return a product as staff see it."""
    row = product_row(reference=product_id, for_staff=True, extra=PRODUCT_EXTRA)
    if row is None:
        raise UnknownProduct("There is no such product.")
    return tagged(Response(product_document(row), status=status), version=row["version"])
