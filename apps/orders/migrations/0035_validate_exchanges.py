"""Reads the tables beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0034_exchanges")]
    accepts = {"mixes operations": "What was validated can be validated again."}

    operations = [
        ValidateConstraint("changeset", "change_set_kind_is_known"),
        ValidateConstraint("order", "order_exchange_pays_for_all_of_it"),
    ]
