"""Two variants for sale of one product differ in their options."""

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0023_product_to_unpublish")]
    accepts = {
        "tightens catalog_variant": "Nobody could tell two such variants apart; whoever makes one "
        "is better refused.",
    }
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    sql="""
                    CREATE UNIQUE INDEX CONCURRENTLY variant_options_are_unique_in_a_product
                    ON catalog_variant (product_id, md5(options::text))
                    WHERE is_active AND NOT (options = '{}'::jsonb AND options IS NOT NULL)
                    """,
                    reverse_sql="DROP INDEX CONCURRENTLY variant_options_are_unique_in_a_product",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="variant",
                    constraint=models.UniqueConstraint(
                        models.F("product"),
                        django.db.models.functions.text.MD5(
                            django.db.models.functions.comparison.Cast(
                                "options", models.TextField()
                            )
                        ),
                        condition=models.Q(
                            ("is_active", True), models.Q(("options", {}), _negated=True)
                        ),
                        name="variant_options_are_unique_in_a_product",
                        violation_error_message=(
                            "Another variant of the product has these options."
                        ),
                    ),
                ),
            ],
        ),
    ]
