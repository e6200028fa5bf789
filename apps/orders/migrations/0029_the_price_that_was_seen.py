"""What a piece of a cart's line cost when the shopper last changed the line."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0028_orders_by_tag")]

    operations = [
        migrations.AddField(
            model_name="cartitem",
            name="seen_price_minor",
            field=models.BigIntegerField(
                blank=True, help_text="Of one piece, when the line was last changed.", null=True
            ),
        ),
        AddConstraintNotValid(
            model_name="cartitem",
            constraint=models.CheckConstraint(
                condition=models.Q(seen_price_minor=None) | models.Q(seen_price_minor__gte=0),
                name="cart_item_seen_price_is_not_negative",
            ),
        ),
    ]
