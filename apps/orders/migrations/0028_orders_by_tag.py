"""Built and validated beside the writers."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0027_notes_and_tags")]
    accepts = {"mixes operations": "What was validated can be validated again."}

    operations = [
        AddIndexConcurrently("order", GinIndex(fields=["tags"], name="order_by_tag")),
        ValidateConstraint("order", "order_tags_are_few_and_say_something"),
    ]
