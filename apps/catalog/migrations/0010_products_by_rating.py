"""Beside running sales: the index that sorts by rating, and the rows that were there before."""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("catalog", "0009_reviews")]

    accepts = {"mixes operations": "What was validated can be validated again."}

    operations = [
        ValidateConstraint(
            model_name="product", name="product_rating_has_1_to_5_stars_a_review"
        ),
        AddIndexConcurrently(
            model_name="product",
            index=models.Index(
                fields=["rating_score", "id"],
                name="product_published_by_rating",
                condition=models.Q(status="published"),
            ),
        ),
    ]
