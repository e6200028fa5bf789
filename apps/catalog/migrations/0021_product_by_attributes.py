"""Products by the values of their attributes."""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0020_product_by_type")]
    operations = [
        AddIndexConcurrently(
            "product",
            django.contrib.postgres.indexes.GinIndex(
                fields=["attributes"], name="product_by_attributes", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
