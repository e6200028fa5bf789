"""Photos of reviews over HTTP. They are shown with the review: `views/reviews.py`."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.reviews import review_row
from apps.catalog.serializers.media import PhotoDocument, photo_document
from apps.catalog.services import review_photos
from apps.catalog.services.pictures import clean_picture
from apps.catalog.services.review_photos import UnknownPhoto
from apps.catalog.views.reviews import MODERATE
from apps.kernel.openapi import problems
from apps.kernel.permissions import PeopleOnly, is_staff_with
from apps.kernel.serializers import StrictSerializer


class ReviewPhotos(APIView):
    """The photos of my review."""

    permission_classes = (IsAuthenticated, PeopleOnly)
    parser_classes = (MultiPartParser,)

    class PhotoUpload(StrictSerializer):
        """A form with a picture: JPEG, PNG or WebP, at most 10 MiB and 16 megapixels."""

        file = serializers.FileField(max_length=200)

    @extend_schema(
        operation_id="reviews_add_photo",
        request={"multipart/form-data": PhotoUpload},
        responses={201: PhotoDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        """Add a photo to my review, which is read again before it is shown again.

        It is drawn anew, without metadata. 422 `not_a_picture`, 409 `too_many_photos` after five.
        """
        mine = {"review_id": review_id, "customer_id": cast("UUID", request.user.pk)}
        review_photos.require_room(**mine)  # before the file is read
        upload = self.PhotoUpload(data=request.data)
        upload.is_valid(raise_exception=True)
        picture = clean_picture(content=upload.validated_data["file"].read())
        photo_id = review_photos.add_photo(**mine, picture=picture)
        return Response(
            _photo(photo_id, **mine),
            status=201,
            headers={"Location": f"{request.path}/{photo_id}"},
        )


class OneReviewPhoto(APIView):
    """A photo of a review."""

    permission_classes = (IsAuthenticated, PeopleOnly)

    @extend_schema(
        operation_id="reviews_remove_photo", responses={204: None, **problems(401, 403, 404)}
    )
    def delete(self, request: Request, review_id: UUID, photo_id: UUID) -> Response:
        """Delete a photo of my review, or as staff of any; its files are deleted."""
        staff = is_staff_with(request, MODERATE)
        review_photos.remove_photo(
            review_id=review_id,
            photo_id=photo_id,
            customer_id=None if staff else cast("UUID", request.user.pk),
        )
        return Response(status=204)


def _photo(photo_id: UUID, *, review_id: UUID, customer_id: UUID) -> dict[str, Any]:
    row = review_row(review_id=review_id, customer_id=customer_id)
    for photo in row["pictures"] if row else ():
        if photo["id"] == str(photo_id):
            return photo_document(photo)
    raise UnknownPhoto("The review has no such photo.")
