"""The one location that every store has."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def make_main(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    locations = apps.get_model("catalog", "StockLocation").objects
    locations.get_or_create(code="main", defaults={"name": "Main warehouse"})


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_the_catalog")]

    operations = [migrations.RunPython(make_main, migrations.RunPython.noop)]
