"""The rows that were there before hold the new rules, too; reading them keeps nobody away."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0024_variant_options_are_unique")]
    operations = [
        ValidateConstraint("product", "product_status_is_known"),
        ValidateConstraint("product", "product_attributes_are_an_object"),
        ValidateConstraint("product", "product_attributes_are_those_of_a_type"),
        ValidateConstraint("product", "product_scheduled_has_category_price_and_date"),
        ValidateConstraint("product", "product_ends_after_it_began"),
    ]
