"""The one tax class that every store has."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def make_standard(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    classes = apps.get_model("orders", "TaxClass").objects
    classes.get_or_create(code="standard", defaults={"name": "Standard", "is_default": True})


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_taxes")]

    operations = [migrations.RunPython(make_standard, migrations.RunPython.noop)]
