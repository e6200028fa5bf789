"""Proving that products' ratings are those of their reviews, and making them so again."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pgtrigger
from django.db import connection, transaction

from apps.catalog.models import Product
from apps.catalog.models.ratings import AVERAGE, SCORE

TRUTH = f"""
WITH shown AS (
    SELECT p.id, count(r.id)::int AS count, coalesce(sum(r.rating), 0)::int AS stars
    FROM catalog_product p
    LEFT JOIN catalog_review r ON r.product_id = p.id AND r.status = 'approved'
    WHERE p.id = coalesce(%s, p.id)
    GROUP BY p.id
), truth AS (
    SELECT id, count, stars, {AVERAGE.format(count="count", stars="stars")} AS average,
        {SCORE.format(count="count", stars="stars")}::float8 AS score
    FROM shown
)
"""  # noqa: S608 - constants
WRONG = f"""
{TRUTH}
SELECT p.id, p.rating_count, p.rating_stars, t.count, t.stars
FROM truth t JOIN catalog_product p ON p.id = t.id
WHERE (p.rating_count, p.rating_stars, p.rating_average, p.rating_score)
    IS DISTINCT FROM (t.count, t.stars, t.average, t.score)
ORDER BY p.id
"""  # noqa: S608 - constants
REPAIR = f"""
{TRUTH}
UPDATE catalog_product p SET rating_count = t.count, rating_stars = t.stars,
    rating_average = t.average, rating_score = t.score
FROM truth t WHERE p.id = t.id
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongRating:
    """A product whose rating is not the one of its reviews."""

    product_id: UUID
    count: int
    stars: int
    right_count: int
    right_stars: int


def wrong_ratings() -> Iterator[WrongRating]:
    """Yield what differs. Reads all products and reviews."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG, [None])
        for product_id, count, stars, right_count, right_stars in cursor.fetchall():
            yield WrongRating(
                product_id=product_id,
                count=count,
                stars=stars,
                right_count=right_count,
                right_stars=right_stars,
            )


@transaction.atomic
def repair_rating(*, product_id: UUID) -> None:
    """Work out one product's rating again, while reviews go on being written and read."""
    # The lock first: what is counted after it has either changed the rating or will wait for it.
    Product.objects.select_for_update(no_key=True).filter(pk=product_id).values_list("pk").first()
    with (
        pgtrigger.ignore("catalog.Product:rating_is_left_to_reviews"),
        connection.cursor() as cursor,
    ):
        cursor.execute(REPAIR, [product_id])
