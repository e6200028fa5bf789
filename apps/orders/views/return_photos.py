"""Photos of returns over HTTP. They are listed with the return: `views/returns.py`."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.rest import FastJSONRenderer
from apps.kernel.serializers import StrictSerializer
from apps.orders.serializers.returns import ReturnPhotoDocument, photo_document
from apps.orders.services import return_photos
from apps.orders.views.holder import ORDER_TOKEN, order_holder

WEBP = "image/webp"


class WebpRenderer(FastJSONRenderer):
    """Lets clients ask for a picture; a refusal is JSON all the same."""

    media_type = WEBP
    format = "webp"


class ReturnPhotos(APIView):
    """The photos of a return."""

    admits_api_keys = True
    permission_classes = (AllowAny,)
    parser_classes = (MultiPartParser,)

    class ReturnPhotoUpload(StrictSerializer):
        """A form with a picture: JPEG, PNG or WebP, at most 10 MiB and 16 megapixels."""

        file = serializers.FileField(max_length=200)

    @extend_schema(
        operation_id="return_photos_create",
        parameters=[ORDER_TOKEN],
        request={"multipart/form-data": ReturnPhotoUpload},
        responses={
            201: ReturnPhotoDocument,
            **problems(400, 401, 403, 404, 409, 413, 415, 422),
        },
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        """Add a photo to a return before the goods are here. It is drawn anew, without metadata.

        422 `not_a_picture`, 409 `too_many_photos` after five.
        """
        holder = order_holder(request)
        return_photos.require_room(holder=holder, return_id=return_id)  # before the file is read
        upload = self.ReturnPhotoUpload(data=request.data)
        upload.is_valid(raise_exception=True)
        content = upload.validated_data["file"].read()
        photo = return_photos.add_photo(holder=holder, return_id=return_id, content=content)
        return Response(
            photo_document(photo),
            status=201,
            headers={"Location": f"/api/v1/returns/{return_id}/photos/{photo.pk}"},
        )


class OneReturnPhoto(APIView):
    """A photo of a return."""

    admits_api_keys = True
    permission_classes = (AllowAny,)
    renderer_classes = (FastJSONRenderer, WebpRenderer)

    @extend_schema(
        operation_id="return_photos_retrieve",
        parameters=[ORDER_TOKEN],
        responses={(200, WEBP): OpenApiTypes.BINARY, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, return_id: UUID, return_photo_id: UUID) -> Response:
        """Show a photo to its shopper, and to staff who see returns."""
        content = return_photos.photo_of(
            holder=order_holder(request), return_id=return_id, photo_id=return_photo_id
        )
        return Response(
            content,
            content_type=WEBP,
            headers={
                "Cache-Control": "private, no-cache",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @extend_schema(
        operation_id="return_photos_destroy",
        parameters=[ORDER_TOKEN],
        responses={204: None, **problems(401, 403, 404, 409)},
    )
    def delete(self, request: Request, return_id: UUID, return_photo_id: UUID) -> Response:
        """Delete a photo before the goods are here, or at any time as staff who decide."""
        return_photos.remove_photo(
            holder=order_holder(request), return_id=return_id, photo_id=return_photo_id
        )
        return Response(status=204)
