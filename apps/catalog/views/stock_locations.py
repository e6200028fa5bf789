"""The places where goods lie, over HTTP."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import StockLocation
from apps.catalog.serializers.stock_locations import (
    StockLocationDocument,
    StockLocationDraft,
    StockLocationPatch,
)
from apps.catalog.serializers.stock_locations import StockLocations as LocationList
from apps.catalog.services.stock import UnknownStockLocation
from apps.catalog.services.stock.locations import (
    ADDRESS,
    LocationFields,
    add_location,
    change_location,
)
from apps.kernel.openapi import problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictSerializer


class StockLocations(APIView):
    """All places."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"catalog.{'add' if adds else 'view'}_stocklocation")()]

    @extend_schema(
        operation_id="stock_locations_list", responses={200: LocationList, **problems(401, 403)}
    )
    def get(self, request: Request) -> Response:
        """List all places, in the order in which they serve orders."""
        read_query(request, StrictSerializer)
        rows = StockLocation.objects.order_by("priority", "code")
        return Response({"results": [_document(row) for row in rows]})

    @extend_schema(
        operation_id="stock_locations_create",
        request=StockLocationDraft,
        responses={201: StockLocationDocument, **problems(400, 401, 403, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Add a place. 409 `stock_location_code_taken`."""
        draft = StockLocationDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        fields = dict(draft.validated_data)
        location = add_location(code=fields.pop("code"), fields=cast("LocationFields", fields))
        headers = {"Location": f"{request.path}/{location.pk}"}
        return Response(_document(location), status=201, headers=headers)


class OneStockLocation(APIView):
    """One place."""

    def get_permissions(self) -> list[BasePermission]:
        reads = self.request is None or self.request.method == "GET"
        return [staff_with(f"catalog.{'view' if reads else 'change'}_stocklocation")()]

    @extend_schema(
        operation_id="stock_locations_retrieve",
        responses={200: StockLocationDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, location_id: UUID) -> Response:
        """Show a place."""
        location = StockLocation.objects.filter(pk=location_id).first()
        if location is None:
            raise UnknownStockLocation("There is no such stock location.")
        return Response(_document(location))

    @extend_schema(
        operation_id="stock_locations_update",
        request=StockLocationPatch,
        responses={200: StockLocationDocument, **problems(400, 401, 403, 404, 409, 413, 415)},
    )
    def patch(self, request: Request, location_id: UUID) -> Response:
        """Change what is given. 409 `main_location_stays`."""
        changes = StockLocationPatch(data=request.data)
        changes.is_valid(raise_exception=True)
        location = change_location(
            location_id=location_id, fields=cast("LocationFields", dict(changes.validated_data))
        )
        return Response(_document(location))

    @extend_schema(
        operation_id="stock_locations_archive",
        responses={204: None, **problems(401, 403, 404, 409)},
    )
    def delete(self, request: Request, location_id: UUID) -> Response:
        """Take a place out of use: what lies there is not for sale. 409 `main_location_stays`."""
        change_location(location_id=location_id, fields={"is_active": False})
        return Response(status=204)


def _document(location: StockLocation) -> dict[str, Any]:
    names = ("id", "code", "name", "priority", "is_active")
    address = {name: getattr(location, name) for name in ADDRESS} if location.country else None
    return {name: getattr(location, name) for name in names} | {"address": address}
