"""Which products a type has, found without reading all of them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0019_product_types_and_tags")]
    operations = [
        AddIndexConcurrently("product", models.Index(fields=["type"], name="product_by_type")),
    ]
