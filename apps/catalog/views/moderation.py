"""Reading what customers write, over HTTP, for staff."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models.contributions import Contribution
from apps.catalog.selectors.reviews import review_row, review_rows
from apps.catalog.serializers.reviews import (
    Reader,
    ReviewDocument,
    ReviewPage,
    review_document,
)
from apps.catalog.services import reviews
from apps.catalog.services.reviews import UnknownReview
from apps.catalog.views.reviews import MODERATE
from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer

OLDEST_FIRST = Ordering("created_at", False, datetime.fromisoformat)  # noqa: FBT003 - ascending


class QueueQuery(PageQuery):
    """What to list."""

    status = serializers.ChoiceField(choices=Contribution.Status.choices, default="pending")


class Decision(StrictSerializer):
    """Whether a text is shown."""

    decision = serializers.ChoiceField(choices=["approve", "reject"])
    reason = StrictCharField(
        max_length=200, allow_blank=True, default="", help_text="Its author reads it."
    )

    def decided(self) -> dict[str, Any]:
        """Return what the services call it."""
        self.is_valid(raise_exception=True)
        status = {
            "approve": Contribution.Status.APPROVED,
            "reject": Contribution.Status.REJECTED,
        }[self.validated_data["decision"]]
        return {"status": status, "reason": self.validated_data["reason"]}


class Reviews(APIView):
    """All reviews."""

    permission_classes = (staff_with(MODERATE),)

    @extend_schema(
        operation_id="reviews_queue",
        parameters=[QueueQuery],
        responses={200: ReviewPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List reviews by status, oldest first: those that wait to be read, unless asked else."""
        query = read_query(request, QueueQuery)
        rows = review_rows(status=query["status"])
        page = page_of(rows, ordering=OLDEST_FIRST, query=query, request=request)
        page["results"] = [review_document(row, reader=Reader.STAFF) for row in page["results"]]
        return Response(page)


class ReviewModerations(APIView):
    """What is decided about a review."""

    permission_classes = (staff_with(MODERATE),)

    @extend_schema(
        operation_id="reviews_moderate",
        parameters=[IF_MATCH],
        request=Decision,
        responses={200: ReviewDocument, **problems(400, 401, 403, 404, 412, 413, 415, 422)},
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        """Approve a review, or reject it with a reason. Its reports are settled by that.

        With If-Match it is about the text that was read: 412 when it was changed meanwhile.
        """
        reviews.moderate_review(
            review_id=review_id,
            **Decision(data=request.data).decided(),
            expected_version=expected_version(request),
        )
        return _review(review_id)


class ReviewReplies(APIView):
    """What the store answers to a review."""

    permission_classes = (staff_with(MODERATE),)

    class StoreReply(StrictSerializer):
        """For everybody to read."""

        body = StrictCharField(max_length=2000)

    @extend_schema(
        operation_id="reviews_reply",
        request=StoreReply,
        responses={201: ReviewDocument, **problems(400, 401, 403, 404, 413, 415)},
    )
    def post(self, request: Request, review_id: UUID) -> Response:
        """Answer a review in the store's name."""
        answer = self.StoreReply(data=request.data)
        answer.is_valid(raise_exception=True)
        reviews.reply(
            review_id=review_id,
            body=answer.validated_data["body"],
            actor_id=cast("UUID", request.user.pk),
        )
        return _review(review_id, status=201)


def _review(review_id: UUID, *, status: int = 200) -> Response:
    row = review_row(review_id=review_id, customer_id=None, all_of_them=True)
    if row is None:
        raise UnknownReview("There is no such review.")
    document = review_document(row, reader=Reader.STAFF)
    return tagged(Response(document, status=status), version=row["version"])
