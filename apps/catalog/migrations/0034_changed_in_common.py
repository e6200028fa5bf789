"""What has changed and is shown by many products."""

import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0033_addresses_of_stock_locations'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangedInCommon',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('attribute', 'attribute'), ('brand', 'brand'), ('category', 'category'), ('tag', 'tag'), ('type', 'type')], max_length=9)),
                ('reference', models.UUIDField()),
                ('after', models.UUIDField(db_default=uuid.UUID('00000000-0000-0000-0000-000000000000'))),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('kind', 'reference'), name='changed_in_common_is_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['attribute', 'brand', 'category', 'tag', 'type'])), name='changed_in_common_kind_is_known')],
            },
        ),
    ]
