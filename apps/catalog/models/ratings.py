"""What a product's rating is made of, and the triggers that keep it.

A product counts its approved reviews and their stars. From both follow the average, which is shown,
and the score, by which lists are sorted: the average as if the product had PRIOR_COUNT more reviews
of PRIOR_STARS, so that one enthusiast does not outweigh a hundred satisfied customers.
"""

from typing import Final

import pgtrigger

PRIOR_COUNT: Final = 5
PRIOR_STARS: Final = 3.5

AVERAGE = "CASE WHEN {count} = 0 THEN 0 ELSE round(({stars})::numeric / ({count}), 2) END"
SCORE = f"round(({PRIOR_COUNT * PRIOR_STARS} + {{stars}}) / ({PRIOR_COUNT} + {{count}}), 4)"

_count, _stars = "rating_count + reviews", "rating_stars + stars"

# Relative to the row that the UPDATE has locked, so that changes at the same moment add up.
counts_in_the_rating = pgtrigger.Trigger(
    name="review_counts_in_the_rating",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    declare=[("reviews", "integer := 0"), ("stars", "integer := 0"), ("product", "uuid")],
    func=f"""
        IF TG_OP <> 'INSERT' THEN
            product := OLD.product_id;
            IF OLD.status = 'approved' THEN
                reviews := -1;
                stars := -OLD.rating;
            END IF;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            product := NEW.product_id;
            IF NEW.status = 'approved' THEN
                reviews := reviews + 1;
                stars := stars + NEW.rating;
            END IF;
        END IF;
        IF reviews <> 0 OR stars <> 0 THEN
            UPDATE catalog_product SET
                rating_count = {_count},
                rating_stars = {_stars},
                rating_average = {AVERAGE.format(count=_count, stars=_stars)},
                rating_score = {SCORE.format(count=_count, stars=_stars)}
            WHERE id = product;
        END IF;
        RETURN NULL;
    """,  # noqa: S608 - constants
)

# Whoever saves a whole product has read its rating some time ago.
rating_is_left_to_reviews = pgtrigger.Trigger(
    name="rating_is_left_to_reviews",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition(
        "pg_trigger_depth() = 0 AND (OLD.rating_count, OLD.rating_stars, OLD.rating_average,"
        " OLD.rating_score) IS DISTINCT FROM (NEW.rating_count, NEW.rating_stars,"
        " NEW.rating_average, NEW.rating_score)"
    ),
    func="""
        NEW.rating_count := OLD.rating_count;
        NEW.rating_stars := OLD.rating_stars;
        NEW.rating_average := OLD.rating_average;
        NEW.rating_score := OLD.rating_score;
        RETURN NEW;
    """,
)
