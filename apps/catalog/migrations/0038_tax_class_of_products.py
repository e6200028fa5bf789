"""How a product is taxed: the code of a class, which the catalog does not know more of."""

import django.core.validators
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0037_product_in_category_by_price")]

    operations = [
        migrations.AddField(
            model_name="product",
            name="tax_class",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Code of the tax class; empty, or unknown there: the default one.",
                max_length=40,
                validators=[
                    django.core.validators.RegexValidator(
                        "^([a-z0-9]+(-[a-z0-9]+)*)?\\Z",
                        "Use small letters, digits and single hyphens.",
                        code="tax_class",
                    )
                ],
            ),
        ),
        AddConstraintNotValid(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("tax_class__regex", "^([a-z0-9]+(-[a-z0-9]+)*)?\\Z")),
                name="product_tax_class_is_a_code",
            ),
        ),
    ]
