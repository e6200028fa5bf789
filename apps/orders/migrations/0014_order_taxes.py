"""Which taxes an order and each of its lines bear, rate by rate."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0013_the_default_tax_class'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='taxes',
            field=models.JSONField(db_default=[], default=list, help_text='Each tax: code, name, ppm, net and amount in minor units.'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='taxes',
            field=models.JSONField(db_default=[], default=list, help_text='Each tax: code, ppm and amount in minor units.'),
        ),
    ]
