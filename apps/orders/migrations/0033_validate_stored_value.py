"""Reads the tables beside running sales: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0032_stored_value")]
    accepts = {"mixes operations": "What was validated can be validated again."}

    operations = [
        ValidateConstraint("ledgerentry", "ledger_entry_account_is_known"),
        ValidateConstraint("ledgerposting", "ledger_posting_kind_is_known"),
        ValidateConstraint("order", "order_tenders_are_part_of_the_total"),
        ValidateConstraint("paymentattempt", "attempt_gives_back_what_was_captured_once"),
    ]
