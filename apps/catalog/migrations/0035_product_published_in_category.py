"""The newest products of one category are found without reading those of others."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0034_changed_in_common")]
    operations = [
        AddIndexConcurrently(
            "product",
            models.Index(
                condition=models.Q(("status", "published")),
                fields=["category", "created_at", "id"],
                name="product_published_in_category",
            ),
        ),
    ]
