"""What is due to be taken out of the shop."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0022_product_to_publish")]
    operations = [
        AddIndexConcurrently(
            "product",
            models.Index(
                condition=models.Q(("status", "published"), ("unpublish_at__isnull", False)),
                fields=["unpublish_at"],
                name="product_to_unpublish",
            ),
        ),
    ]
