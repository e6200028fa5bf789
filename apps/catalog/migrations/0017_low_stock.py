"""From how few pieces on goods are low, and what is."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0016_movement_by_document'),
    ]

    operations = [
        migrations.CreateModel(
            name='LowStock',
            fields=[
                ('variant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='low_stock', serialize=False, to='catalog.variant')),
                ('since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name_plural': 'low stock',
                'permissions': [('be_told_of_low_stock', 'Gets a mail when goods have run low')],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ReorderPoint',
            fields=[
                ('variant', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reorder_point', serialize=False, to='catalog.variant')),
                ('pieces', models.BigIntegerField()),
            ],
            options={
                'default_permissions': ('add', 'change', 'delete', 'view'),
                'constraints': [models.CheckConstraint(condition=models.Q(('pieces__gte', 0)), name='reorder_point_is_not_negative')],
            },
        ),
    ]
