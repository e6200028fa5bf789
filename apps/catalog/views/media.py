"""Pictures of products over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.media import images_of, is_there
from apps.catalog.serializers.media import MediaDocument, MediaList, image_document
from apps.catalog.services import images
from apps.catalog.services.images import UnknownImage
from apps.catalog.services.pictures import clean_picture
from apps.catalog.services.products import UnknownProduct
from apps.kernel.conditional import cacheable
from apps.kernel.openapi import problems
from apps.kernel.permissions import is_staff_with, staff_with
from apps.kernel.serializers import StrictCharField, StrictIntegerField, StrictSerializer

LAST_POSITION = 10_000


class MediaUpload(StrictSerializer):
    """A form with a picture: JPEG, PNG or WebP, at most 10 MiB and 16 megapixels."""

    file = serializers.FileField(max_length=200)
    alt = serializers.CharField(max_length=200, allow_blank=True, required=False)
    position = serializers.IntegerField(min_value=0, max_value=LAST_POSITION, required=False)


class ProductMedia(APIView):
    """The pictures of a product."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("catalog.add_image")() if writes else AllowAny()]

    def get_parsers(self) -> list[BaseParser]:
        return [MultiPartParser()]

    @extend_schema(operation_id="media_list", responses={200: MediaList, **problems(400, 401, 404)})
    def get(self, request: Request, product_id: UUID) -> Response:
        """Show the pictures of a product in their order."""
        staff = is_staff_with(request, "catalog.view_product")
        _require(product_id, published_only=not staff)
        documents = [_document(row) for row in images_of(product_id=product_id)]
        return cacheable(Response({"results": documents}), request)

    @extend_schema(
        operation_id="media_add",
        request={"multipart/form-data": MediaUpload},
        responses={201: MediaDocument, **problems(400, 401, 403, 404, 413, 415, 422)},
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Show one more picture. It is drawn anew, without metadata. 422 `not_a_picture`."""
        _require(product_id, published_only=False)  # before the file is read
        upload = MediaUpload(data=request.data)
        upload.is_valid(raise_exception=True)
        fields = dict(upload.validated_data)
        picture = clean_picture(content=fields.pop("file").read())
        image_id = images.add_image(product_id=product_id, picture=picture, fields=fields)  # type: ignore[arg-type]  # validated
        return Response(
            _one(product_id, image_id),
            status=201,
            headers={"Location": f"{request.path}/{image_id}"},
        )


class OneMedium(APIView):
    """A picture of a product."""

    class MediaChange(StrictSerializer):
        """What it shows in words, and its place."""

        alt = StrictCharField(max_length=200, allow_blank=True, required=False)
        position = StrictIntegerField(min_value=0, max_value=LAST_POSITION, required=False)

    def get_permissions(self) -> list[BasePermission]:
        deletes = self.request is not None and self.request.method == "DELETE"
        return [staff_with("catalog.delete_image" if deletes else "catalog.change_image")()]

    @extend_schema(
        operation_id="media_update",
        request=MediaChange,
        responses={200: MediaDocument, **problems(400, 401, 403, 404, 413, 415)},
    )
    def patch(self, request: Request, product_id: UUID, media_id: UUID) -> Response:
        """Change the words or the place of a picture."""
        change = self.MediaChange(data=request.data)
        change.is_valid(raise_exception=True)
        images.change_image(product_id=product_id, image_id=media_id, fields=change.validated_data)
        return Response(_one(product_id, media_id))

    @extend_schema(operation_id="media_remove", responses={204: None, **problems(401, 403, 404)})
    def delete(self, request: Request, product_id: UUID, media_id: UUID) -> Response:
        """Show a picture no more; its files are deleted."""
        images.remove_image(product_id=product_id, image_id=media_id)
        return Response(status=204)


def _require(product_id: UUID, *, published_only: bool) -> None:
    if not is_there(product_id=product_id, published_only=published_only):
        raise UnknownProduct("There is no such product.")


def _one(product_id: UUID, image_id: UUID) -> dict[str, Any]:
    for row in images_of(product_id=product_id):
        if row["id"] == image_id:
            return _document(row)
    raise UnknownImage("The product has no such picture.")


def _document(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "position": row["position"], **image_document(row)}
