"""Price lists over HTTP, for staff."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models.prices import is_a_code
from apps.catalog.selectors.prices import LIST_COLUMNS, price_list_of, price_lists
from apps.catalog.services.prices import lists
from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import (
    CurrencyField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class PriceListChange(StrictSerializer):
    """What may be said about a list at any time."""

    code = StrictCharField(max_length=40, validators=[is_a_code])
    name = StrictCharField(max_length=120)
    customer_group_id = serializers.UUIDField(
        allow_null=True, required=False, help_text="Null: for everybody."
    )
    priority = StrictIntegerField(
        min_value=-1000, max_value=1000, required=False, help_text="The higher one counts."
    )
    valid_from = serializers.DateTimeField(allow_null=True, required=False)
    valid_until = serializers.DateTimeField(
        allow_null=True, required=False, help_text="At this moment it is no more valid."
    )
    is_active = StrictBooleanField(required=False)


class PriceListDraft(PriceListChange):
    """A new list. Its currency never changes."""

    currency = CurrencyField(max_length=3)


class PriceListDocument(serializers.Serializer[Any]):
    """A list: prices in one currency, for a group or for everybody."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    customer_group_id = serializers.UUIDField(allow_null=True)
    priority = serializers.IntegerField()
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()


class PriceListPage(Page):
    """A page of lists."""

    results = PriceListDocument(many=True)


class PriceLists(APIView):
    """All price lists."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"catalog.{'add' if adds else 'view'}_pricelist")()]

    @extend_schema(
        operation_id="price_lists_list",
        parameters=[PageQuery],
        responses={200: PriceListPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the price lists, newest first."""
        query = read_query(request, PageQuery)
        page = page_of(price_lists(), ordering=NEWEST_FIRST, query=query, request=request)
        return Response(page)

    @extend_schema(
        operation_id="price_lists_create",
        request=PriceListDraft,
        responses={201: PriceListDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add a list. 409 `price_list_code_taken`, 422 `ends_before_it_begins`."""
        draft = PriceListDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        fields = dict(draft.validated_data)
        price_list = lists.create_price_list(
            currency=fields.pop("currency"), fields=cast("lists.PriceListFields", fields)
        )
        response = _rendered(_document(price_list), status=201)
        response["Location"] = f"{request.path}/{price_list.pk}"
        return response


class OnePriceList(APIView):
    """One price list."""

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}
        method = self.request.method if self.request is not None else ""
        return [staff_with(f"catalog.{needed.get(method or '', 'view')}_pricelist")()]

    @extend_schema(
        operation_id="price_lists_retrieve",
        responses={200: PriceListDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, list_id: UUID) -> Response:
        """Show a list."""
        return _rendered(price_list_of(list_id=list_id))

    @extend_schema(
        operation_id="price_lists_update",
        parameters=[IF_MATCH],
        request=PriceListChange,
        responses={
            200: PriceListDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    def patch(self, request: Request, list_id: UUID) -> Response:
        """Change what is given. Carts and products cost the new prices at once.

        What products are sorted and found by follows within seconds, for long lists minutes.
        """
        change = PriceListChange(data=request.data, partial=True)
        change.is_valid(raise_exception=True)
        price_list = lists.change_price_list(
            list_id=list_id,
            fields=cast("lists.PriceListFields", dict(change.validated_data)),
            expected_version=expected_version(request),
        )
        return _rendered(_document(price_list))

    @extend_schema(
        operation_id="price_lists_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, list_id: UUID) -> Response:
        """Remove a list that never had a price. 409 `price_list_in_use`: switch it off."""
        lists.remove_price_list(list_id=list_id, expected_version=expected_version(request))
        return Response(status=204)


def _document(price_list: object) -> dict[str, Any]:
    return {name: getattr(price_list, name) for name in LIST_COLUMNS}


def _rendered(document: dict[str, Any], *, status: int = 200) -> Response:
    return tagged(Response(document, status=status), version=document["version"])
