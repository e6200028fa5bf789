"""Reads the tables beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0009_what_an_order_remembers")]
    accepts = {"mixes operations": "What was validated can be validated again."}

    operations = [
        ValidateConstraint("order", "order_tax_is_in_the_prices_or_on_top"),
        ValidateConstraint("order", "order_included_tax_is_part_of_the_total"),
        ValidateConstraint("order", "order_shipping_is_part_of_its_amounts"),
        ValidateConstraint("orderline", "order_line_list_price_is_not_negative"),
        ValidateConstraint("orderline", "order_line_discount_is_part_of_its_total"),
        ValidateConstraint("orderline", "order_line_tax_is_in_the_price_or_on_top"),
        ValidateConstraint("orderline", "order_line_included_tax_is_part_of_its_price"),
    ]
