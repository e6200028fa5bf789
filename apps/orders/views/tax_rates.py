"""Tax rates over HTTP, for staff."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer
from apps.orders.models.tax import is_a_code
from apps.orders.pricing.percentages import NotAPercentage, percentage_of, ppm_of
from apps.orders.selectors.taxes import tax_rate_of, tax_rates
from apps.orders.services import tax_tables

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


@extend_schema_field({"type": "string", "pattern": r"^\d{1,3}(\.\d{1,4})?$", "example": "8.875"})
class PercentageField(serializers.Field[int, Any, str, int]):
    """A percentage from 0 to 100 as a decimal text, kept in parts per million."""

    default_error_messages = {"invalid": "A percentage is a text such as 8.875."}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            return ppm_of(data)
        except NotAPercentage as refusal:
            raise serializers.ValidationError(refusal.detail, code=refusal.code) from refusal

    def to_representation(self, value: int) -> str:
        return percentage_of(value)


class TaxRateChange(StrictSerializer):
    """What may be said about a rate at any time."""

    code = StrictCharField(
        max_length=40,
        validators=[is_a_code],
        help_text="Which tax it is, such as vat, state or county. Of one only one rate is valid.",
    )
    name = StrictCharField(max_length=120, help_text="As invoices show it.")
    percentage = PercentageField(help_text="From 0 to 100, with up to 4 decimals.")
    valid_from = serializers.DateTimeField(
        allow_null=True, required=False, help_text="Null: since ever."
    )
    valid_until = serializers.DateTimeField(
        allow_null=True, required=False, help_text="At this moment it is no more valid."
    )


class TaxRateDraft(TaxRateChange):
    """A new rate. Its zone and class never change."""

    zone_id = serializers.UUIDField()
    tax_class = StrictCharField(max_length=40, help_text="The code of the class.")


class TaxRateDocument(serializers.Serializer[Any]):
    """How high a tax is for a class in a zone, for a time."""

    id = serializers.UUIDField()
    zone_id = serializers.UUIDField()
    tax_class = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    percentage = serializers.CharField()
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class TaxRatePage(Page):
    """A page of rates."""

    results = TaxRateDocument(many=True)


class TaxRates(APIView):
    """All tax rates."""

    class RateQuery(PageQuery):
        """Which rates; what is left out does not narrow."""

        def get_fields(self) -> dict[str, Any]:
            return super().get_fields() | {
                "filter[zone_id]": serializers.UUIDField(required=False),
                "filter[tax_class]": serializers.CharField(max_length=40, required=False),
            }

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"orders.{'add' if adds else 'view'}_taxrate")()]

    @extend_schema(
        operation_id="tax_rates_list",
        parameters=[RateQuery],
        responses={200: TaxRatePage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the rates, newest first, also those that are over or still to come."""
        query = read_query(request, self.RateQuery)
        names = {"filter[zone_id]": "zone_id", "filter[tax_class]": "tax_class__code"}
        wanted = {names[name]: value for name, value in query.items() if name in names}
        rows = tax_rates().filter(**wanted)
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        return Response({**page, "results": [_document(row) for row in page["results"]]})

    @extend_schema(
        operation_id="tax_rates_create",
        request=TaxRateDraft,
        responses={201: TaxRateDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add a rate. Carts are taxed by it from its beginning on.

        409 `tax_rates_overlap`, 422 `tax_rate_ends_before_it_begins`; 404 `unknown_tax_zone` and
        `unknown_tax_class` for what the body names.
        """
        draft = TaxRateDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        fields = dict(draft.validated_data)
        row = tax_tables.create_rate(
            zone_id=fields.pop("zone_id"),
            tax_class=fields.pop("tax_class"),
            fields=_fields(fields),
        )
        response = _rendered(tax_rate_of(rate_id=row.pk), status=201)
        response["Location"] = f"{request.path}/{row.pk}"
        return response


class OneTaxRate(APIView):
    """One tax rate."""

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}
        method = self.request.method if self.request is not None else ""
        return [staff_with(f"orders.{needed.get(method or '', 'view')}_taxrate")()]

    @extend_schema(
        operation_id="tax_rates_retrieve",
        responses={200: TaxRateDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, rate_id: UUID) -> Response:
        """Show a rate."""
        return _rendered(tax_rate_of(rate_id=rate_id))

    @extend_schema(
        operation_id="tax_rates_update",
        parameters=[IF_MATCH],
        request=TaxRateChange,
        responses={200: TaxRateDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415, 422)},
    )
    def patch(self, request: Request, rate_id: UUID) -> Response:
        """Change what is given. Carts are taxed anew at once; orders stay as they are."""
        change = TaxRateChange(data=request.data, partial=True)
        change.is_valid(raise_exception=True)
        tax_tables.change_rate(
            rate_id=rate_id,
            fields=_fields(dict(change.validated_data)),
            expected_version=expected_version(request),
        )
        return _rendered(tax_rate_of(rate_id=rate_id))

    @extend_schema(
        operation_id="tax_rates_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 412)},
    )
    def delete(self, request: Request, rate_id: UUID) -> Response:
        """Remove a rate. Orders keep what they were taxed; a rate that ends is better ended."""
        tax_tables.remove_rate(rate_id=rate_id, expected_version=expected_version(request))
        return Response(status=204)


def _fields(document: dict[str, Any]) -> tax_tables.RateFields:
    if "percentage" in document:
        document["ppm"] = document.pop("percentage")
    return cast("tax_tables.RateFields", document)


def _document(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("id", "zone_id", "code", "name", "valid_from", "valid_until", "version")
    return {
        **{name: row[name] for name in kept},
        "tax_class": row["class_code"],
        "percentage": percentage_of(row["ppm"]),
    }


def _rendered(row: dict[str, Any], *, status: int = 200) -> Response:
    return tagged(Response(_document(row), status=status), version=row["version"])
