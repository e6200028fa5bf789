"""The ledger's lines of an adjustment, a count or a transfer; built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0015_counts_and_transfers")]

    operations = [
        AddIndexConcurrently(
            model_name="stockmovement",
            index=models.Index(
                condition=models.Q(("document_id__isnull", False)),
                fields=["document_id"],
                name="stock_movement_by_document",
            ),
        ),
    ]
