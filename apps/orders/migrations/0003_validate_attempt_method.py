"""Reads the whole table beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0002_attempt_method_is_a_reference")]

    operations = [
        ValidateConstraint(model_name="paymentattempt", name="attempt_method_is_a_reference"),
    ]
