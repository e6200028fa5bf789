"""Product types over HTTP."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models.slugs import is_a_slug
from apps.catalog.selectors.product_types import type_rows
from apps.catalog.serializers.parameters import BY_NAME
from apps.catalog.serializers.product_types import TypeDocument, TypePage
from apps.catalog.services.product_types import (
    TypeAttribute,
    TypeFields,
    UnknownType,
    add_product_type,
    change_product_type,
    remove_product_type,
)
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.converters import id_of, reference_of
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictBooleanField, StrictCharField, StrictSerializer

KEY = OpenApiParameter(
    "product_type", str, OpenApiParameter.PATH, description="The id; for reading also the slug."
)


class TypeDraft(StrictSerializer):
    """A product type. Attributes and options are given all or not at all."""

    class Entry(StrictSerializer):
        """An attribute of the type."""

        code = StrictCharField(max_length=40)
        is_required = StrictBooleanField(default=False)

    name = StrictCharField(max_length=120)
    slug = StrictCharField(max_length=160, required=False, validators=[is_a_slug])
    options = serializers.ListField(child=StrictCharField(max_length=60), max_length=20, default=[])
    attributes = serializers.ListField(child=Entry(), max_length=200, default=[])

    def validate_options(self, options: list[str]) -> list[str]:
        if len(set(options)) < len(options):
            raise serializers.ValidationError("An option is named twice.")
        return options


class ProductTypes(APIView):
    """What kinds of products there are."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("catalog.add_producttype")() if writes else AllowAny()]

    @extend_schema(
        operation_id="product_types_list",
        parameters=[PageQuery],
        responses={200: TypePage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """List the product types by name."""
        query = read_query(request, PageQuery)
        page = page_of(type_rows(), ordering=BY_NAME, query=query, request=request)
        return cacheable(Response(page), request)

    @extend_schema(
        operation_id="product_types_create",
        request=TypeDraft,
        responses={201: TypeDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add a product type. 409 `slug_taken`, 422 for an attribute that there is not."""
        draft = TypeDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        product_type = add_product_type(fields=_fields(draft.validated_data))
        response = _response(product_type.pk, status=201)
        response["Location"] = f"{request.path}/{product_type.pk}"
        return response


class OneProductType(APIView):
    """A product type."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}.get(self.request.method or "")
        return [staff_with(f"catalog.{needed}_producttype")() if needed else AllowAny()]

    @extend_schema(
        operation_id="product_types_read",
        parameters=[KEY],
        responses={200: TypeDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, product_type: str) -> Response:
        """Show a product type by id or slug."""
        read_query(request, StrictSerializer)
        return cacheable(_response(reference_of(product_type) or ""), request)

    @extend_schema(
        operation_id="product_types_update",
        parameters=[KEY, IF_MATCH],
        request=TypeDraft,
        responses={200: TypeDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415, 422)},
    )
    def patch(self, request: Request, product_type: str) -> Response:
        """Change what is given. 409 `type_in_use` when products of the type would not fit it."""
        draft = TypeDraft(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        change_product_type(
            type_id=id_of(product_type),
            fields=_fields(draft.validated_data),
            expected_version=expected_version(request),
        )
        return _response(id_of(product_type))

    @extend_schema(
        operation_id="product_types_delete",
        parameters=[KEY, IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, product_type: str) -> Response:
        """Take a type away that no product has. 409 `type_in_use`."""
        remove_product_type(type_id=id_of(product_type), expected_version=expected_version(request))
        return Response(status=204)


def _fields(document: dict[str, Any]) -> TypeFields:
    fields = dict(document)
    if "attributes" in fields:
        # PATCH reaches into the entries, too: what is not said of one is not required.
        fields["attributes"] = [TypeAttribute(**each) for each in fields["attributes"]]
    return cast("TypeFields", fields)


def _response(reference: UUID | str, *, status: int = 200) -> Response:
    by = "pk" if isinstance(reference, UUID) else "slug"
    row = type_rows().filter(**{by: reference}).first()
    if row is None:
        raise UnknownType("There is no such product type.")
    return tagged(Response(dict(row), status=status), version=row["version"])
