"""Reads the accounts beside running logins: the lock lets rows be written meanwhile."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("users", "0003_profiles_address_books_consents")]

    operations = [ValidateConstraint(model_name="user", name="user_phone_is_e164")]
