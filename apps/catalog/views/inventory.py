"""Stock over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.stock import stock_row
from apps.catalog.serializers.inventory import ProductInventory, inventory_document
from apps.catalog.services.products import (
    UnknownProduct,
)
from apps.kernel.conditional import cacheable
from apps.kernel.openapi import problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import is_staff_with
from apps.kernel.serializers import (
    StrictSerializer,
)


class Inventory(APIView):
    """How much there is of a product."""

    admits_api_keys = True

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="inventory_read",
        responses={200: ProductInventory, **problems(400, 401, 404)},
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Show how available a product is; staff see the numbers of every location."""
        read_query(request, StrictSerializer)
        staff = is_staff_with(request, "catalog.view_stock")
        row = stock_row(product_id=product_id, published_only=not staff)
        if row is None:
            raise UnknownProduct("There is no such product.")
        document = inventory_document(row["id"], row["kept"], for_staff=staff)
        return cacheable(Response(document), request)
