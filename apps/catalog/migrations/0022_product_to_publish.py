"""What is due to be published."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0021_product_by_attributes")]
    operations = [
        AddIndexConcurrently(
            "product",
            models.Index(
                condition=models.Q(("status", "scheduled")),
                fields=["publish_at"],
                name="product_to_publish",
            ),
        ),
    ]
