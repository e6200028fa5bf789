"""The products that were there before hold the rule, too; reading them keeps nobody away."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0038_tax_class_of_products")]
    operations = [ValidateConstraint("product", "product_tax_class_is_a_code")]
