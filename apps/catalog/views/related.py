"""What is shown beside a product, over HTTP."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import RelatedProduct
from apps.catalog.selectors.products import Buyer
from apps.catalog.selectors.related import related_rows
from apps.catalog.serializers.products import ProductBrief, product_document
from apps.catalog.services.products import UnknownProduct
from apps.catalog.services.related import relate
from apps.catalog.views.buyers import BuyerQuery, buyer_of
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.converters import id_of, reference_of
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import is_staff_with, staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer

KEY = OpenApiParameter(
    "key", str, OpenApiParameter.PATH, description="The product's id; for reading also its slug."
)
KINDS = RelatedProduct.Kind.values


class RelatedDocument(serializers.Serializer[Any]):
    """Published products by why they are shown, in the order that staff or customers gave them."""

    related = ProductBrief(many=True)
    cross_sell = ProductBrief(many=True)
    up_sell = ProductBrief(many=True)
    accessory = ProductBrief(many=True)
    bought_together = ProductBrief(
        many=True, help_text="What customers buy with it, counted from orders, best first."
    )


class RelatedDraft(StrictSerializer):
    """Products by id or slug, by why they are shown."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            kind: serializers.ListField(
                child=StrictCharField(max_length=200), max_length=50, default=list
            )
            for kind in KINDS
        }


class Related(APIView):
    """What is shown beside a product."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "PUT"
        return [staff_with("catalog.change_product")() if writes else AllowAny()]

    @extend_schema(
        operation_id="products_related",
        parameters=[KEY, BuyerQuery],
        responses={200: RelatedDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, key: str) -> Response:
        """Show what is shown beside a product, by its id or slug."""
        buyer = buyer_of(request, read_query(request, BuyerQuery))
        return cacheable(_response(request, key, buyer), request)

    @extend_schema(
        operation_id="products_relate",
        parameters=[KEY, IF_MATCH],
        request=RelatedDraft,
        responses={200: RelatedDocument, **problems(400, 401, 403, 404, 412, 413, 415, 422)},
    )
    def put(self, request: Request, key: str) -> Response:
        """Say what is shown beside a product, all of it. 422 `unknown_products`."""
        draft = RelatedDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        relate(
            product_id=id_of(key),
            related=draft.validated_data,
            expected_version=expected_version(request),
        )
        return _response(request, key, buyer_of(request, {}))


def _response(request: Request, key: str, buyer: Buyer) -> Response:
    staff = is_staff_with(request, "catalog.view_product")
    found = related_rows(reference=reference_of(key) or "", for_staff=staff, buyer=buyer)
    if found is None:
        raise UnknownProduct("There is no such product.")
    version, rows = found
    document: dict[str, list[Any]] = {kind: [] for kind in (*KINDS, "bought_together")}
    for kind, row in rows:
        document[kind].append(product_document(row, with_variants=False))
    return tagged(Response(document), version=version)
