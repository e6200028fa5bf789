"""Old carts are found without reading those that have become orders. Built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0018_saved_items")]

    operations = [
        AddIndexConcurrently(
            "cart",
            models.Index(
                fields=["created_at"], name="cart_open_by_age", condition=models.Q(status="open")
            ),
        ),
    ]
