"""Photos of returns: two new tables."""

import apps.kernel.ids
import apps.kernel.trail
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0035_validate_exchanges'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReturnPhotoWork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request_id', models.CharField(blank=True, db_default='', default=apps.kernel.trail.request_id, editable=False, max_length=128)),
                ('traceparent', models.CharField(blank=True, db_default='', default=apps.kernel.trail.traceparent, editable=False, max_length=55)),
                ('next_action_at', models.DateTimeField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('file', models.CharField(max_length=100)),
            ],
            options={
                'verbose_name_plural': 'return photo work',
                'default_permissions': (),
                'indexes': [models.Index(condition=models.Q(('next_action_at__isnull', False)), fields=['next_action_at'], name='return_photo_work_due')],
            },
        ),
        migrations.CreateModel(
            name='ReturnPhoto',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('file', models.CharField(max_length=100, unique=True)),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('position', models.PositiveSmallIntegerField()),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('parent', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='photos', to='orders.return')),
            ],
            options={
                'default_permissions': ('view',),
                'constraints': [models.UniqueConstraint(fields=('parent', 'position'), name='return_photo_has_its_own_place'), models.CheckConstraint(condition=models.Q(('position__lt', 5)), name='return_has_at_most_5_photos'), models.CheckConstraint(condition=models.Q(('file__regex', '^returns/[0-9a-f-]{36}\\.webp$')), name='return_photo_file_says_nothing'), models.CheckConstraint(condition=models.Q(('height__gte', 1), ('width__gte', 1)), name='return_photo_has_a_size')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnphoto',
            trigger=pgtrigger.compiler.Trigger(name='return_photo_is_never_another', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."parent_id" IS DISTINCT FROM (NEW."parent_id") OR OLD."file" IS DISTINCT FROM (NEW."file"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f001821e86445a4773573b7f149c3a126bc32f6f', operation='UPDATE', pgid='pgtrigger_return_photo_is_never_another_0cff4', table='orders_returnphoto', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnphoto',
            trigger=pgtrigger.compiler.Trigger(name='return_photo_goes_with_its_file', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO orders_returnphotowork (file, next_action_at, tries)\n    VALUES (OLD.file, statement_timestamp(), 0);\n    RETURN NULL;\n', hash='1f50125f74a4845c17ae126346e180a9c35297bc', operation='DELETE', pgid='pgtrigger_return_photo_goes_with_its_file_ae549', table='orders_returnphoto', when='AFTER')),
        ),
    ]
