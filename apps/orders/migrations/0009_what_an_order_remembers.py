"""What was taken off and what is tax, of each line and of the parcel."""

import django.db.models.expressions
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0008_late_money'),
    ]

    accepts = {
        "tightens orders_order": "What the release before does not know is 0 there, which fits.",
        "tightens orders_orderline": "What the release before does not know is 0 there, or null.",
    }

    operations = [
        migrations.AddField(
            model_name='order',
            name='shipping_discount_minor',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='order',
            name='shipping_tax_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='Of the tax, on top or in it, what the parcel bears.'),
        ),
        migrations.AddField(
            model_name='order',
            name='tax_included_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='In the prices; the total holds it already.'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='discount_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='What promotions take off the total.'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='list_price_minor',
            field=models.BigIntegerField(help_text='Of one piece, without price lists; null in orders of before.', null=True),
        ),
        migrations.AddField(
            model_name='orderline',
            name='tax_included_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='In the prices; what is left holds it already.'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='tax_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='On top of the prices.'),
        ),
        migrations.AlterField(
            model_name='order',
            name='tax_minor',
            field=models.BigIntegerField(default=0, help_text='On top of the prices.'),
        ),
        migrations.AlterField(
            model_name='orderline',
            name='total_minor',
            field=models.BigIntegerField(help_text='Unit price times quantity.'),
        ),
        AddConstraintNotValid(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('tax_minor', 0), ('tax_included_minor', 0), _connector='OR'), name='order_tax_is_in_the_prices_or_on_top'),
        ),
        AddConstraintNotValid(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('tax_included_minor__gte', 0), ('tax_included_minor__lte', models.F('grand_total_minor'))), name='order_included_tax_is_part_of_the_total'),
        ),
        AddConstraintNotValid(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('shipping_discount_minor__gte', 0), ('shipping_discount_minor__lte', models.F('shipping_minor')), ('shipping_discount_minor__lte', models.F('discount_minor')), ('shipping_tax_minor__gte', 0), ('shipping_tax_minor__lte', django.db.models.expressions.CombinedExpression(models.F('tax_minor'), '+', models.F('tax_included_minor')))), name='order_shipping_is_part_of_its_amounts'),
        ),
        AddConstraintNotValid(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('list_price_minor', None), ('list_price_minor__gte', 0), _connector='OR'), name='order_line_list_price_is_not_negative'),
        ),
        AddConstraintNotValid(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('discount_minor__gte', 0), ('discount_minor__lte', models.F('total_minor'))), name='order_line_discount_is_part_of_its_total'),
        ),
        AddConstraintNotValid(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('tax_minor__gte', 0), models.Q(('tax_minor', 0), ('tax_included_minor', 0), _connector='OR')), name='order_line_tax_is_in_the_price_or_on_top'),
        ),
        AddConstraintNotValid(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('tax_included_minor__gte', 0), ('tax_included_minor__lte', django.db.models.expressions.CombinedExpression(models.F('total_minor'), '-', models.F('discount_minor')))), name='order_line_included_tax_is_part_of_its_price'),
        ),
    ]
