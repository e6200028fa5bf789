"""Many products in one request."""

from collections.abc import Iterator, Mapping
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.services.bulk import BulkResult, BulkRow, write_products
from apps.catalog.services.imports.plans import OnError
from apps.catalog.views.products import OneProduct, Products, fields_of
from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import ProblemEntry, StrictIntegerField, StrictSerializer

MOST_ROWS = 200


class BulkResultDocument(serializers.Serializer[Any]):
    """What became of a row."""

    index = serializers.IntegerField()
    status = serializers.ChoiceField(
        choices=["created", "updated", "archived", "failed", "rejected"],
        help_text="Rejected: nothing is wrong with it, but with another row.",
    )
    id = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    errors = ProblemEntry(many=True)  # type: ignore[assignment]  # a document's field, not DRF's


class BulkDocument(serializers.Serializer[Any]):
    """What became of all rows, in their order."""

    results = BulkResultDocument(many=True)


class BulkProducts(APIView):
    """Many products."""

    permission_classes = (
        staff_with("catalog.add_product"),
        staff_with("catalog.change_product"),
        staff_with("catalog.delete_product"),
    )

    class Rows(StrictSerializer):
        """What is to be done."""

        on_error = serializers.ChoiceField(
            choices=OnError.values,
            default=OnError.REJECT_FAILED_ROWS.value,
            help_text="One error rejects everything; or failed rows are left out; or of failed "
            "rows the fields with errors, where the rest can stand alone.",
        )
        rows = serializers.ListField(
            child=serializers.DictField(),
            min_length=1,
            max_length=MOST_ROWS,
            help_text='`{"action":"create","product":{…}}` as in POST /products, '
            '`{"action":"update","id":…,"version"?,"product":{…}}` as in PATCH, '
            '`{"action":"archive","id":…,"version"?}`.',
        )

    class Row(StrictSerializer):
        """One row."""

        action = serializers.ChoiceField(choices=["create", "update", "archive"])
        id = serializers.UUIDField(required=False)
        version = StrictIntegerField(required=False, min_value=1, max_value=2**31 - 1)
        product = serializers.DictField(required=False)

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            needed = {"create": "product", "update": "id product", "archive": "id"}
            for name in needed[attrs["action"]].split():
                if name not in attrs:
                    raise serializers.ValidationError({name: ["This is needed."]}, code="required")
            return attrs

    @extend_schema(
        operation_id="products_bulk",
        parameters=[IDEMPOTENCY_KEY],
        request=Rows,
        responses={200: BulkDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create, change and archive up to 200 products; each row tells what became of it.

        A row with a `version` fails when the product has changed since (`version_mismatch`).
        """
        wanted = self.Rows(data=request.data)
        wanted.is_valid(raise_exception=True)
        on_error = OnError(wanted.validated_data["on_error"])
        results = write_products(
            rows=[self._row(row) for row in wanted.validated_data["rows"]],
            on_error=on_error,
            actor_id=cast("UUID", request.user.pk),
        )
        return Response({"results": [_result(n, each) for n, each in enumerate(results)]})

    def _row(self, data: dict[str, Any]) -> BulkRow:
        row = self.Row(data=data)
        if not row.is_valid():
            return BulkRow(action="", faults=_faults(row), is_readable=False)
        given = row.validated_data
        facts: dict[str, Any] = {
            "action": given["action"],
            "product_id": given.get("id"),
            "version": given.get("version"),
        }
        if given["action"] == "archive":
            return BulkRow(**facts)
        kind = Products.ProductDraft if given["action"] == "create" else OneProduct.ProductPatch
        product = kind(data=given["product"])
        if product.is_valid():
            return BulkRow(**facts, fields=fields_of(product.validated_data))
        rest = kind(data={n: v for n, v in given["product"].items() if n not in product.errors})
        is_readable = rest.is_valid()
        return BulkRow(
            **facts,
            fields=fields_of(rest.validated_data) if is_readable else {},
            faults=_faults(product, "/product"),
            is_readable=is_readable,
        )


def _faults(document: serializers.Serializer[Any], pointer: str = "") -> list[dict[str, str]]:
    return list(_entries(serializers.ValidationError(document.errors).get_full_details(), pointer))


def _entries(details: Any, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(details, Mapping) and {"message", "code"} == set(details):
        yield {
            "pointer": pointer,
            "code": str(details["code"]),
            "detail": str(details["message"]),
        }
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            yield from _entries(inner, f"{pointer}/{name}")
    else:
        for inner in details:
            yield from _entries(inner, pointer)


def _result(index: int, result: BulkResult) -> dict[str, Any]:
    return {
        "index": index,
        "status": result.status,
        "id": result.product_id,
        "version": result.version,
        "errors": [
            {**fault, "pointer": f"/rows/{index}{fault['pointer']}"} for fault in result.faults
        ],
    }
