"""Tax classes over HTTP, for staff."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from apps.orders.models.tax import is_a_code
from apps.orders.selectors.taxes import tax_class_of, tax_classes
from apps.orders.services import tax_tables

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class TaxClassChange(StrictSerializer):
    """What may be said about a class at any time."""

    name = StrictCharField(max_length=120)
    is_default = StrictBooleanField(
        required=False, help_text="True takes it over from the class that is the default one."
    )


class TaxClassDraft(TaxClassChange):
    """A new class. Its code never changes."""

    code = StrictCharField(max_length=40, validators=[is_a_code])


class TaxClassDocument(serializers.Serializer[Any]):
    """Goods that are taxed alike. What names no class is of the default one."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    is_default = serializers.BooleanField()
    version = serializers.IntegerField()


class TaxClassPage(Page):
    """A page of classes."""

    results = TaxClassDocument(many=True)


class TaxClasses(APIView):
    """All tax classes."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"orders.{'add' if adds else 'view'}_taxclass")()]

    @extend_schema(
        operation_id="tax_classes_list",
        parameters=[PageQuery],
        responses={200: TaxClassPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the classes, newest first."""
        query = read_query(request, PageQuery)
        page = page_of(tax_classes(), ordering=NEWEST_FIRST, query=query, request=request)
        return Response(page)

    @extend_schema(
        operation_id="tax_classes_create",
        request=TaxClassDraft,
        responses={201: TaxClassDocument, **problems(400, 401, 403, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Add a class. 409 `tax_class_code_taken`."""
        draft = TaxClassDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        row = tax_tables.create_class(**draft.validated_data)
        response = _rendered(tax_class_of(class_id=row.pk), status=201)
        response["Location"] = f"{request.path}/{row.pk}"
        return response


class OneTaxClass(APIView):
    """One tax class."""

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}
        method = self.request.method if self.request is not None else ""
        return [staff_with(f"orders.{needed.get(method or '', 'view')}_taxclass")()]

    @extend_schema(
        operation_id="tax_classes_retrieve",
        responses={200: TaxClassDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, class_id: UUID) -> Response:
        """Show a class."""
        return _rendered(tax_class_of(class_id=class_id))

    @extend_schema(
        operation_id="tax_classes_update",
        parameters=[IF_MATCH],
        request=TaxClassChange,
        responses={200: TaxClassDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415)},
    )
    def patch(self, request: Request, class_id: UUID) -> Response:
        """Rename it, or make it the default one. 409 `tax_class_is_default` to be it no more."""
        change = TaxClassChange(data=request.data, partial=True)
        change.is_valid(raise_exception=True)
        tax_tables.change_class(
            class_id=class_id, expected_version=expected_version(request), **change.validated_data
        )
        return _rendered(tax_class_of(class_id=class_id))

    @extend_schema(
        operation_id="tax_classes_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, class_id: UUID) -> Response:
        """Remove a class that nothing names. 409 `tax_class_in_use`, `tax_class_is_default`."""
        tax_tables.remove_class(class_id=class_id, expected_version=expected_version(request))
        return Response(status=204)


def _rendered(document: dict[str, Any], *, status: int = 200) -> Response:
    return tagged(Response(document, status=status), version=document["version"])
