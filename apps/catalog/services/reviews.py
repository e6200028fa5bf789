"""Everything that changes reviews. What it means for the product's rating, triggers work out."""

from typing import Final, TypedDict
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.catalog.models import Product, Review, ReviewReply, ReviewVote
from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.contributions import Status, locked, settle
from apps.catalog.services.products import UnknownProduct
from apps.catalog.services.purchases import one_at_a_time
from apps.catalog.services.search_index import refresh
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, NotFound
from apps.kernel.events import publish
from apps.kernel.ids import new_id

REPORTS_TO_READ_AGAIN: Final = 3

WRITE = """
INSERT INTO catalog_review
    (id, product_id, customer_id, author_name, rating, title, body, is_verified)
SELECT %(id)s, product.id, %(customer)s, %(author_name)s, %(rating)s, %(title)s, %(body)s,
    EXISTS (
        SELECT FROM catalog_purchase bought
        WHERE bought.customer_id = %(customer)s AND bought.product_id = product.id
    )
FROM catalog_product product WHERE product.id = %(product)s AND product.status = 'published'
ON CONFLICT (customer_id, product_id) DO NOTHING
RETURNING id
"""

VOTE = """
INSERT INTO catalog_reviewvote (review_id, customer_id)
SELECT id, %(customer)s FROM catalog_review
WHERE id = %(review)s AND status = 'approved' AND customer_id IS DISTINCT FROM %(customer)s
FOR KEY SHARE
ON CONFLICT (review_id, customer_id) DO NOTHING
"""

REPORT = """
WITH reported AS (
    INSERT INTO catalog_reviewreport (review_id, customer_id, cause, detail)
    SELECT id, %(customer)s, %(cause)s, %(detail)s FROM catalog_review
    WHERE id = %(review)s AND status = 'approved' AND customer_id IS DISTINCT FROM %(customer)s
    FOR KEY SHARE
    ON CONFLICT (review_id, customer_id) DO NOTHING
    RETURNING review_id
)
UPDATE catalog_review review SET
    report_count = report_count + 1,
    status = CASE WHEN report_count + 1 >= %(enough)s THEN 'pending' ELSE status END
FROM reported WHERE review.id = reported.review_id AND review.status = 'approved'
RETURNING review.status, review.product_id
"""


class UnknownReview(NotFound):
    """There is no such review, or it is not yours to see."""

    code = "unknown_review"


class ReviewExists(Conflict):
    """You have reviewed this product; change that review instead."""

    code = "review_exists"


class OwnReview(Invalid):
    """Nobody votes for or reports what they have written themselves."""

    code = "own_review"


class ReviewFields(TypedDict, total=False):
    """What an author says; what is left out stays as it is."""

    rating: int
    title: str
    body: str


@transaction.atomic
def write_review(
    *, product_id: UUID, customer_id: UUID, author_name: str, fields: ReviewFields
) -> UUID:
    """Write a review that waits to be read. Returns its id. Raises UnknownProduct, ReviewExists."""
    one_at_a_time(customer_id)
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE,
            {
                "id": new_id(),
                "product": product_id,
                "customer": customer_id,
                "author_name": author_name,
                "rating": fields["rating"],
                "title": fields.get("title", ""),
                "body": fields.get("body", ""),
            },
        )
        written = cursor.fetchone()
    if written is None:
        if Review.objects.filter(product=product_id, customer_id=customer_id).exists():
            raise ReviewExists("You have reviewed this product; change that review instead.")
        raise UnknownProduct("There is no such product.")
    return UUID(str(written[0]))


@transaction.atomic
def change_review(
    *, review_id: UUID, customer_id: UUID, fields: ReviewFields, expected_version: int | None
) -> None:
    """Change one's own review; it is read again before it is shown again.

    Raises UnknownReview, VersionMismatch.
    """
    review = _mine(review_id, customer_id, expected_version)
    Review.objects.filter(pk=review.pk).update(
        **fields,
        status=Status.PENDING,
        reason="",
        report_count=0,
        version=F("version") + 1,
        updated_at=Now(),
    )
    _tell_product(review, shown=False)


@transaction.atomic
def remove_review(*, review_id: UUID, customer_id: UUID, expected_version: int | None) -> None:
    """Delete one's own review with all that hangs on it. Raises UnknownReview, VersionMismatch."""
    review = _mine(review_id, customer_id, expected_version)
    review.delete()
    _tell_product(review, shown=False)


@transaction.atomic
def moderate_review(
    *, review_id: UUID, status: Status, reason: str = "", expected_version: int | None = None
) -> None:
    """Show a review, or reject it with a reason. Its reports are settled by that.

    Raises UnknownReview, VersionMismatch, ReasonMissing.
    """
    review = locked(Review, pk=review_id, expected_version=expected_version, refusal=UnknownReview)
    settle(review, status=status, reason=reason, report_count=0)
    _tell_product(review, shown=status == Status.APPROVED)


@transaction.atomic
def vote(*, review_id: UUID, customer_id: UUID) -> int:
    """Find a review helpful; doing it again changes nothing. Returns how many do.

    Raises UnknownReview, OwnReview.
    """
    with connection.cursor() as cursor:
        cursor.execute(VOTE, {"review": review_id, "customer": customer_id})
    return _shown_to_others(review_id, customer_id).helpful_count


@transaction.atomic
def take_vote_back(*, review_id: UUID, customer_id: UUID) -> None:
    """Take one's vote back, if there is one. Raises UnknownReview, OwnReview."""
    _shown_to_others(review_id, customer_id)
    ReviewVote.objects.filter(review=review_id, customer_id=customer_id).delete()


@transaction.atomic
def report(*, review_id: UUID, customer_id: UUID, cause: str, detail: str) -> None:
    """Say that a review should not be shown; saying it again changes nothing.

    The third report sends it back to be read again. Raises UnknownReview, OwnReview.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            REPORT,
            {
                "review": review_id,
                "customer": customer_id,
                "cause": cause,
                "detail": detail,
                "enough": REPORTS_TO_READ_AGAIN,
            },
        )
        reported = cursor.fetchone()
    if reported is None:
        _shown_to_others(review_id, customer_id)
    elif reported[0] == Status.PENDING:
        _publish_change(reported[1])


@transaction.atomic
def reply(*, review_id: UUID, body: str, actor_id: UUID) -> None:
    """Answer a review in the store's name. Raises UnknownReview."""
    locked(Review, pk=review_id, expected_version=None, refusal=UnknownReview)
    answer = ReviewReply.objects.create(review_id=review_id, body=body, actor_id=actor_id)
    record("catalog.review_answered", about=review_id, after={"reply": answer.pk})


def _mine(review_id: UUID, customer_id: UUID, expected_version: int | None) -> Review:
    return locked(
        Review,
        pk=review_id,
        customer_id=customer_id,
        expected_version=expected_version,
        refusal=UnknownReview,
    )


def _shown_to_others(review_id: UUID, customer_id: UUID) -> Review:
    review = Review.objects.filter(pk=review_id, status=Status.APPROVED).first()
    if review is None:
        raise UnknownReview("There is no such review.")
    if review.customer_id == customer_id:
        raise OwnReview("This is your own review.")
    return review


def _tell_product(before: Review, *, shown: bool) -> None:
    """Publish that the product's rating is another one, if it is."""
    if shown != (before.status == Status.APPROVED):
        _publish_change(before.product_id)


def _publish_change(product_id: UUID) -> None:
    """The product's row is locked: the trigger has just changed its rating."""
    version = Product.objects.values_list("version", flat=True).get(pk=product_id)
    refresh(product_ids=[product_id])
    publish(ProductChanged(product_id=product_id, version=version), aggregate_id=product_id)
