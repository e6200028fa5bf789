"""Reviews over HTTP, for who reads and who writes them. Staff: `views/moderation.py`."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from apps.catalog.models import ReviewReport
from apps.catalog.selectors.reviews import (
    is_published,
    rating_of,
    review_row,
    review_rows,
    shown_reviews,
)
from apps.catalog.serializers.parameters import CommaSeparated
from apps.catalog.serializers.reviews import (
    RatingDocument,
    Reader,
    ReviewDocument,
    ReviewPage,
    review_document,
)
from apps.catalog.services import reviews
from apps.catalog.services.contributions import author_name_of
from apps.catalog.services.products import UnknownProduct
from apps.catalog.services.reviews import UnknownReview
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import PeopleOnly, is_staff_with
from apps.kernel.serializers import StrictCharField, StrictIntegerField, StrictSerializer

MODERATE = "catalog.moderate_review"
STARS = ("1", "2", "3", "4", "5")


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= 2**31:
        raise ValueError("no count")
    return value


NEWEST_FIRST = Ordering("created_at", True, datetime.fromisoformat)  # noqa: FBT003 - descending
ORDERINGS = {
    "-created_at": NEWEST_FIRST,
    "-helpful": Ordering("helpful_count", True, _whole),  # noqa: FBT003 - descending
    "-rating": Ordering("rating", True, _whole),  # noqa: FBT003 - descending
    "rating": Ordering("rating", False, _whole),  # noqa: FBT003 - ascending
}


class WrittenByPeople(APIView):
    """Everybody reads; people who are logged in write, programs do not."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        if self.request is None or self.request.method in {"GET", "HEAD"}:
            return [AllowAny()]
        return [IsAuthenticated(), PeopleOnly()]


class ReviewText(StrictSerializer):
    """What an author says."""

    rating = StrictIntegerField(min_value=1, max_value=5)
    title = StrictCharField(max_length=120, allow_blank=True, required=False)
    body = StrictCharField(max_length=5000, allow_blank=True, required=False)


class ProductReviews(WrittenByPeople):
    """What customers say of a product."""

    class ReviewQuery(PageQuery):
        """How to filter and sort."""

        sort = serializers.ChoiceField(choices=list(ORDERINGS), default="-created_at")

        def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
            return {
                **super().get_fields(),
                "filter[rating]": CommaSeparated(choices=STARS, required=False),
                "filter[verified]": serializers.ChoiceField(
                    choices=["true", "false"], required=False
                ),
            }

    @extend_schema(
        operation_id="reviews_list",
        parameters=[ReviewQuery],
        responses={200: ReviewPage, **problems(400, 404)},
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Show the reviews of a product that have been read and approved."""
        query = read_query(request, self.ReviewQuery)
        if not is_published(product_id=product_id):
            raise UnknownProduct("There is no such product.")
        verified = query.get("filter[verified]")
        rows = shown_reviews(
            product_id=product_id,
            stars=[int(stars) for stars in query.get("filter[rating]", [])],
            verified=None if verified is None else verified == "true",
        )
        page = page_of(rows, ordering=ORDERINGS[query["sort"]], query=query, request=request)
        page["results"] = [review_document(row) for row in page["results"]]
        return cacheable(Response(page), request)

    @extend_schema(
        operation_id="reviews_create",
        request=ReviewText,
        responses={201: ReviewDocument, **problems(400, 401, 403, 404, 409, 413, 415)},
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Review a product. It is shown once somebody of the store has read it.

        Sending it again is safe: 409 `review_exists`.
        """
        text = ReviewText(data=request.data)
        text.is_valid(raise_exception=True)
        me = cast("Any", request.user)
        review_id = reviews.write_review(
            product_id=product_id,
            customer_id=me.pk,
            author_name=author_name_of(first_name=me.first_name, last_name=me.last_name),
            fields=text.validated_data,
        )
        response = own_review(request, review_id, status=201)
        response["Location"] = reverse("review", kwargs={"review_id": review_id}, request=request)
        return response


class ProductRating(APIView):
    """What the reviews say together."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="ratings_read", responses={200: RatingDocument, **problems(400, 404)}
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Show how many reviews gave how many stars."""
        read_query(request, StrictSerializer)
        rating = rating_of(product_id=product_id)
        if rating is None:
            raise UnknownProduct("There is no such product.")
        average, count, histogram = rating
        document = {
            "average": average if count else None,
            "count": count,
            "histogram": dict(zip(STARS, histogram, strict=True)),
        }
        return cacheable(Response(document), request)


class OneReview(WrittenByPeople):
    """One review."""

    class ReviewChange(ReviewText):
        """What shall be another one."""

        rating = StrictIntegerField(min_value=1, max_value=5, required=False)

    @extend_schema(
        operation_id="reviews_read", responses={200: ReviewDocument, **problems(400, 404)}
    )
    def get(self, request: Request, review_id: UUID) -> Response:
        """Show a review. What is not shown to everybody is there for its author and for staff."""
        read_query(request, StrictSerializer)
        staff = is_staff_with(request, MODERATE)
        row = review_row(
            review_id=review_id,
            customer_id=request.user.pk,
            all_of_them=staff,
        )
        if row is None:
            raise UnknownReview("There is no such review.")
        reader = (
            Reader.STAFF
            if staff
            else Reader.AUTHOR
            if request.user.pk and row["customer_id"] == request.user.pk
            else Reader.ANYBODY
        )
        response = Response(review_document(row, reader=reader))
        return tagged(cacheable(response, request), version=row["version"])

    @extend_schema(
        operation_id="reviews_update",
        parameters=[IF_MATCH],
        request=ReviewChange,
        responses={200: ReviewDocument, **problems(400, 401, 403, 404, 412, 413, 415)},
    )
    def patch(self, request: Request, review_id: UUID) -> Response:
        """Change my review; it is read again before it is shown again."""
        change = self.ReviewChange(data=request.data)
        change.is_valid(raise_exception=True)
        reviews.change_review(
            review_id=review_id,
            customer_id=cast("UUID", request.user.pk),
            fields=change.validated_data,
            expected_version=expected_version(request),
        )
        return own_review(request, review_id)

    @extend_schema(
        operation_id="reviews_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 412)},
    )
    def delete(self, request: Request, review_id: UUID) -> Response:
        """Delete my review."""
        reviews.remove_review(
            review_id=review_id,
            customer_id=cast("UUID", request.user.pk),
            expected_version=expected_version(request),
        )
        return Response(status=204)


class ReviewVotes(APIView):
    """Whether a review helps."""

    class Helpful(serializers.Serializer[Any]):
        """How many find it helpful."""

        helpful_count = serializers.IntegerField()

    @extend_schema(
        operation_id="reviews_vote",
        request=None,
        responses={200: Helpful, **problems(401, 404, 422)},
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        """Say that a review helps; saying it again changes nothing. 422 `own_review`."""
        count = reviews.vote(review_id=review_id, customer_id=cast("UUID", request.user.pk))
        return Response({"helpful_count": count})

    @extend_schema(
        operation_id="reviews_vote_take_back", responses={204: None, **problems(401, 404, 422)}
    )
    def delete(self, request: Request, review_id: UUID) -> Response:
        """Take it back."""
        reviews.take_vote_back(review_id=review_id, customer_id=cast("UUID", request.user.pk))
        return Response(status=204)


class ReviewReports(APIView):
    """What should not be shown."""

    class Complaint(StrictSerializer):
        """Why not."""

        cause = serializers.ChoiceField(choices=ReviewReport.Cause.choices)
        detail = StrictCharField(max_length=500, allow_blank=True, default="")

    @extend_schema(
        operation_id="reviews_report",
        request=Complaint,
        responses={204: None, **problems(400, 401, 404, 413, 415, 422)},
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        """Report a review, once. After three reports it is not shown until somebody reads it."""
        complaint = self.Complaint(data=request.data)
        complaint.is_valid(raise_exception=True)
        reviews.report(
            review_id=review_id,
            customer_id=cast("UUID", request.user.pk),
            **complaint.validated_data,
        )
        return Response(status=204)


class MyReviews(APIView):
    """What I have written."""

    @extend_schema(
        operation_id="users_me_reviews",
        parameters=[PageQuery],
        responses={200: ReviewPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show my reviews, newest first, also those that nobody else sees."""
        query = read_query(request, PageQuery)
        rows = review_rows(customer_id=cast("UUID", request.user.pk))
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        page["results"] = [review_document(row, reader=Reader.AUTHOR) for row in page["results"]]
        return Response(page)


def own_review(request: Request, review_id: UUID, *, status: int = 200) -> Response:
    """Return the answer that shows authors what they have just written."""
    row = review_row(review_id=review_id, customer_id=cast("UUID", request.user.pk))
    if row is None:
        raise UnknownReview("There is no such review.")
    document = review_document(row, reader=Reader.AUTHOR)
    return tagged(Response(document, status=status), version=row["version"])
