"""Publishing products over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.serializers.products import ProductDocument
from apps.catalog.services.publications import publish_product, unpublish_product
from apps.catalog.views.products import product_response
from apps.kernel.conditional import expected_version
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictSerializer


class Publication(StrictSerializer):
    """When a product comes into the shop, and when it leaves it."""

    publish_at = serializers.DateTimeField(
        allow_null=True, default=None, help_text="Now, if it is null or past."
    )
    unpublish_at = serializers.DateTimeField(allow_null=True, default=None)


class Publications(APIView):
    """Whether a product is in the shop."""

    permission_classes = (staff_with("catalog.change_product"),)

    @extend_schema(
        operation_id="products_publish",
        parameters=[IF_MATCH],
        request=Publication,
        responses={200: ProductDocument, **problems(400, 401, 403, 404, 412, 413, 415, 422)},
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Publish a product, or schedule it. 422 `not_publishable`, `ends_before_it_begins`."""
        document = Publication(data=request.data)
        document.is_valid(raise_exception=True)
        publish_product(
            product_id=product_id,
            expected_version=expected_version(request),
            **document.validated_data,
        )
        return product_response(product_id)

    @extend_schema(
        operation_id="products_unpublish",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 412)},
    )
    def delete(self, request: Request, product_id: UUID) -> Response:
        """Take a product out of the shop, or off the schedule: it is a draft then."""
        unpublish_product(product_id=product_id, expected_version=expected_version(request))
        return Response(status=204)
