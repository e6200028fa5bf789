"""Reads of reviews: one statement a page, whatever hangs on them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import Product, Review

Rows = QuerySet[Review, dict[str, Any]]

REPLIES = """coalesce((
    SELECT json_agg(json_build_object('body', a.body, 'created_at', a.created_at) ORDER BY a.id)
    FROM catalog_reviewreply a WHERE a.review_id = catalog_review.id
), '[]')"""

PHOTOS = """coalesce((
    SELECT json_agg(json_build_object(
        'id', p.id, 'file', p.file, 'width', p.width, 'height', p.height,
        'has_renditions', p.has_renditions
    ) ORDER BY p.position)
    FROM catalog_reviewphoto p WHERE p.review_id = catalog_review.id
), '[]')"""

COLUMNS = (
    "id",
    "product_id",
    "product__slug",
    "product__name",
    "customer_id",
    "author_name",
    "rating",
    "title",
    "body",
    "is_verified",
    "helpful_count",
    "report_count",
    "status",
    "reason",
    "version",
    "created_at",
    "updated_at",
)

HISTOGRAM = """
SELECT p.rating_average::float8, p.rating_count, ARRAY(
    SELECT count(r.id) FROM generate_series(1, 5) AS stars
    LEFT JOIN catalog_review r
        ON r.product_id = p.id AND r.status = 'approved' AND r.rating = stars
    GROUP BY stars ORDER BY stars
)
FROM catalog_product p WHERE p.id = %s AND p.status = 'published'
"""


def review_rows(**which: Any) -> Rows:
    """Return reviews with their photos and replies, and what they are about."""
    return Review.objects.filter(**which).values(
        *COLUMNS,
        answers=RawSQL(REPLIES, []),  # noqa: S611 - a constant
        pictures=with_pictures(),
    )


def with_pictures() -> RawSQL:
    """Return the column of a review's photos, in their order."""
    return RawSQL(PHOTOS, [])  # noqa: S611 - a constant


def shown_reviews(
    *, product_id: UUID, stars: Sequence[int] = (), verified: bool | None = None
) -> Rows:
    """Return what everybody may read about a product."""
    rows = review_rows(product=product_id, status=Review.Status.APPROVED)
    if stars:
        rows = rows.filter(rating__in=stars)
    return rows if verified is None else rows.filter(is_verified=verified)


def review_row(
    *, review_id: UUID, customer_id: UUID | None, all_of_them: bool = False
) -> dict[str, Any] | None:
    """Return a review that is shown, or the customer's own, or with `all_of_them` any."""
    rows = review_rows(pk=review_id)
    if not all_of_them:
        mine = Q(customer_id=customer_id) if customer_id else Q()
        shown = Q(status=Review.Status.APPROVED, product__status=Product.Status.PUBLISHED)
        rows = rows.filter(mine | shown if customer_id else shown)
    return rows.first()


def is_published(*, product_id: UUID) -> bool:
    """Whether the public sees the product."""
    return Product.objects.filter(pk=product_id, status=Product.Status.PUBLISHED).exists()


def rating_of(*, product_id: UUID) -> tuple[float, int, list[int]] | None:
    """Return average, count and the number of reviews with 1 to 5 stars of what is published."""
    with connection.cursor() as cursor:
        cursor.execute(HISTOGRAM, [product_id])
        found: tuple[float, int, list[int]] | None = cursor.fetchone()
    return found
