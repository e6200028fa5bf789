"""The codes of a batch as a file, for staff."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.pagination import read_query
from apps.kernel.permissions import staff_with
from apps.kernel.rest import FastJSONRenderer
from apps.kernel.serializers import StrictSerializer
from apps.orders.services.coupon_files import codes_file

CSV = "text/csv"


class CSVFile(BaseRenderer):
    """Lets a client say that it takes CSV. What is sent is written piece by piece, not here."""

    media_type, format, charset = CSV, "csv", "utf-8"

    def render(self, data: Any, *_: object, **__: object) -> Any:
        return data


class CouponCodes(APIView):
    """The codes of a batch, all of them."""

    permission_classes = (staff_with("orders.view_coupon"),)
    renderer_classes = (FastJSONRenderer, CSVFile)

    @extend_schema(
        operation_id="coupon_codes_download",
        responses={(200, CSV): OpenApiTypes.BINARY, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, promotion_id: UUID, batch_id: UUID) -> StreamingHttpResponse:
        """Fetch the codes as CSV: `code`, `uses`, `uses_limit`, `uses_per_customer`."""
        read_query(request, StrictSerializer)
        pieces = codes_file(promotion_id=promotion_id, batch_id=batch_id)
        name = f'attachment; filename="codes-{batch_id}.csv"'
        return StreamingHttpResponse(
            pieces, content_type=CSV, headers={"Content-Disposition": name}
        )
