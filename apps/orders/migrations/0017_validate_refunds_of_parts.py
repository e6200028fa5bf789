"""Reads the whole table beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0016_count_the_refunds_that_are_there")]

    operations = [
        ValidateConstraint("paymentattempt", "attempt_refunds_are_at_most_what_was_captured"),
    ]
