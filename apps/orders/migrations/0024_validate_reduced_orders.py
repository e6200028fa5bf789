"""Reads the whole table beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0023_change_sets")]

    operations = [
        ValidateConstraint("order", "order_is_never_made_dearer"),
    ]
