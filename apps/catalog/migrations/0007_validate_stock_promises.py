"""Reads the tables beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_stock_promises")]

    operations = [
        ValidateConstraint(model_name="reservation", name="reservation_state_is_known"),
        ValidateConstraint(model_name="reservation", name="reservation_returns_what_was_shipped"),
        ValidateConstraint(model_name="reservation", name="reservation_allocated_has_its_time"),
        ValidateConstraint(model_name="stock", name="stock_on_hand_is_not_negative"),
        ValidateConstraint(model_name="stock", name="stock_reserved_is_not_negative"),
        ValidateConstraint(model_name="stock", name="stock_allocated_is_not_negative"),
        ValidateConstraint(model_name="stock", name="stock_promises_are_covered"),
        ValidateConstraint(model_name="stock", name="stock_policy_is_complete"),
        ValidateConstraint(model_name="stocklocation", name="stock_location_main_is_active"),
        ValidateConstraint(model_name="stockmovement", name="stock_movement_fits_its_kind"),
    ]
