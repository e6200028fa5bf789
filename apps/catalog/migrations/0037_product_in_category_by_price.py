"""The cheapest products of one category are found without reading the dearer ones."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0036_search_entries_wait_in_a_list")]
    operations = [
        AddIndexConcurrently(
            "product",
            models.Index(
                condition=models.Q(("status", "published")),
                fields=["category", "price_from_minor", "id"],
                name="product_in_category_by_price",
            ),
        ),
    ]
