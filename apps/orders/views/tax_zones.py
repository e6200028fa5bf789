"""Tax zones over HTTP, for staff."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.countries import COUNTRIES
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictBooleanField, StrictCharField, StrictSerializer
from apps.orders.models.tax import LONGEST_PREFIX, MOST_AREAS, postal_key
from apps.orders.selectors.taxes import tax_zone_of, tax_zones
from apps.orders.services import tax_tables

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class TaxAreaEntry(StrictSerializer):
    """A country, narrowed by region or by how postal codes begin; or everywhere else."""

    default_error_messages = {
        "unknown_country": "This is no country code.",
        "country_missing": "A region or a postal code is in a country.",
        "prefix_too_long": f"At most {LONGEST_PREFIX} letters and digits count.",
        "prefix_empty": "Give letters or digits.",
    }

    country = StrictCharField(
        max_length=2,
        allow_blank=True,
        help_text="ISO 3166-1 alpha-2. Empty: wherever no other area is.",
    )
    region = StrictCharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="As addresses write it, in whatever case. Empty: all of the country.",
    )
    postal_prefix = StrictCharField(
        max_length=20,
        required=False,
        allow_blank=True,
        default="",
        help_text="How its postal codes begin; spaces and hyphens do not count.",
    )

    def validate_country(self, value: str) -> str:
        if value and value not in COUNTRIES:
            raise serializers.ValidationError([self._refusal("unknown_country")])
        return value

    def validate_postal_prefix(self, value: str) -> str:
        key = postal_key(value)
        if value and not key:
            raise serializers.ValidationError([self._refusal("prefix_empty")])
        if len(key) > LONGEST_PREFIX:
            raise serializers.ValidationError([self._refusal("prefix_too_long")])
        return key

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["country"] and (attrs["region"].strip() or attrs["postal_prefix"]):
            raise serializers.ValidationError({"country": [self._refusal("country_missing")]})
        return attrs

    def _refusal(self, code: str) -> serializers.ErrorDetail:
        return serializers.ErrorDetail(str(self.error_messages[code]), code=code)


class TaxZoneDraft(StrictSerializer):
    """A zone. No area is in two of them."""

    name = StrictCharField(max_length=120)
    prices_include_tax = StrictBooleanField(
        required=False, help_text="Whether prices are with tax here, or it is added to them."
    )
    shipping_taxed = StrictBooleanField(required=False)
    shipping_tax_class = StrictCharField(
        max_length=40,
        allow_null=True,
        required=False,
        help_text="Code of the class that parcels are of; null: the default one.",
    )
    areas = serializers.ListField(child=TaxAreaEntry(), required=False, max_length=MOST_AREAS)


class TaxAreaDocument(serializers.Serializer[Any]):
    """A place, as addresses are compared with it."""

    country = serializers.CharField(allow_blank=True)
    region = serializers.CharField(allow_blank=True)
    postal_prefix = serializers.CharField(allow_blank=True)


class TaxZoneDocument(serializers.Serializer[Any]):
    """Where the same taxes count. `GET /tax-rates?filter[zone_id]=` lists them."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    prices_include_tax = serializers.BooleanField()
    shipping_taxed = serializers.BooleanField()
    shipping_tax_class = serializers.CharField(allow_null=True)
    areas = TaxAreaDocument(many=True)
    version = serializers.IntegerField()


class TaxZonePage(Page):
    """A page of zones."""

    results = TaxZoneDocument(many=True)


class TaxZones(APIView):
    """All tax zones."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"orders.{'add' if adds else 'view'}_taxzone")()]

    @extend_schema(
        operation_id="tax_zones_list",
        parameters=[PageQuery],
        responses={200: TaxZonePage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the zones, newest first."""
        query = read_query(request, PageQuery)
        page = page_of(tax_zones(), ordering=NEWEST_FIRST, query=query, request=request)
        return Response({**page, "results": [_document(row) for row in page["results"]]})

    @extend_schema(
        operation_id="tax_zones_create",
        request=TaxZoneDraft,
        responses={201: TaxZoneDocument, **problems(400, 401, 403, 404, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Add a zone. 409 `tax_zone_name_taken`, `tax_area_taken`; 404 `unknown_tax_class`."""
        row = tax_tables.create_zone(fields=_fields(TaxZoneDraft(data=request.data)))
        response = _rendered(tax_zone_of(zone_id=row.pk), status=201)
        response["Location"] = f"{request.path}/{row.pk}"
        return response


class OneTaxZone(APIView):
    """One tax zone."""

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}
        method = self.request.method if self.request is not None else ""
        return [staff_with(f"orders.{needed.get(method or '', 'view')}_taxzone")()]

    @extend_schema(
        operation_id="tax_zones_retrieve",
        responses={200: TaxZoneDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, zone_id: UUID) -> Response:
        """Show a zone."""
        return _rendered(tax_zone_of(zone_id=zone_id))

    @extend_schema(
        operation_id="tax_zones_update",
        parameters=[IF_MATCH],
        request=TaxZoneDraft,
        responses={200: TaxZoneDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415)},
    )
    def patch(self, request: Request, zone_id: UUID) -> Response:
        """Change what is given; areas are given all or not at all. Refuses as creating does."""
        tax_tables.change_zone(
            zone_id=zone_id,
            fields=_fields(TaxZoneDraft(data=request.data, partial=True)),
            expected_version=expected_version(request),
        )
        return _rendered(tax_zone_of(zone_id=zone_id))

    @extend_schema(
        operation_id="tax_zones_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, zone_id: UUID) -> Response:
        """Remove a zone without rates, and its areas. 409 `tax_zone_in_use`."""
        tax_tables.remove_zone(zone_id=zone_id, expected_version=expected_version(request))
        return Response(status=204)


def _fields(draft: TaxZoneDraft) -> tax_tables.ZoneFields:
    draft.is_valid(raise_exception=True)
    return cast("tax_tables.ZoneFields", dict(draft.validated_data))


def _document(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "prices_include_tax": row["prices_include_tax"],
        "shipping_taxed": row["shipping_taxed"],
        "shipping_tax_class": row["parcel_class"],
        "areas": row["places"],
        "version": row["version"],
    }


def _rendered(row: dict[str, Any], *, status: int = 200) -> Response:
    return tagged(Response(_document(row), status=status), version=row["version"])
