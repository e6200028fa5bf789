"""What is over is found by its time; built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0007_validate_stock_promises")]

    operations = [
        AddIndexConcurrently(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("state", "active")),
                fields=["expires_at"],
                name="reservation_by_expiry",
            ),
        ),
    ]
