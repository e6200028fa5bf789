"""Reads the lines of carts beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0029_the_price_that_was_seen")]

    operations = [ValidateConstraint("cartitem", "cart_item_seen_price_is_not_negative")]
